using System.Collections.Immutable;
using System.Globalization;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Linux;
using HostGw.Tests.Planning;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Platform.Linux;

public class LinuxWatchTests
{
    // What the kernel announced, as type and payload in hex.
    [Theory]
    [InlineData("our table is new", 0x0A00, "01000000 0B000100 686F737467770000 08000200 00000000", true)]
    [InlineData("our table is gone", 0x0A02, "01000000 0B000100 686F737467770000", true)]
    [InlineData("a rule of ours is gone", 0x0A08, "01000000 0B000100 686F737467770000 0C000200 706F737472746700", true)]
    [InlineData("an element came into a set of ours", 0x0A0C, "01000000 0B000100 686F737467770000 0A000200 706F647334000000", true)]
    [InlineData("our table of one family", 0x0A00, "02000000 0B000100 686F737467770000", true)]
    [InlineData("an object in our table", 0x0A12, "01000000 0B000100 686F737467770000 06000200 63000000", true)]
    [InlineData("another table", 0x0A00, "02000000 0F000100 6B7562652D70726F787900", false)]
    [InlineData("a table whose name begins like ours", 0x0A00, "01000000 0D000100 686F7374677769732000", false)]
    [InlineData("a transaction of anybody's", 0x0A0F, "00000005 08000100 00000005 0B000200 686F737467770000", false)]
    [InlineData("perhaps the rule that jumps to our chain", 0x0A08, "02000000 08000100 6E617400 10000200 504F5354524F5554494E4700", true)]
    [InlineData("a rule of kube-proxy's", 0x0A06, "02000000 08000100 6E617400 12000200 4B5542452D534552564943455300 0000", false)]
    [InlineData("a set in a table of iptables-nft", 0x0A09, "02000000 08000100 6E617400 10000200 504F5354524F5554494E4700", false)]
    [InlineData("the table of iptables-nft is gone", 0x0A02, "02000000 08000100 6E617400", true)]
    [InlineData("another table of iptables-nft", 0x0A02, "02000000 0B000100 6D616E676C650000", false)]
    [InlineData("FORWARD of iptables-nft gets a policy", 0x0A03, "02000000 0B000100 66696C7465720000 0C000300 464F525741524400", true)]
    [InlineData("INPUT of iptables-nft gets a policy", 0x0A03, "02000000 0B000100 66696C7465720000 0A000300 494E505554000000", false)]
    [InlineData("flannel's table", 0x0A00, "02000000 11000100 666C616E6E656C2D6970763400 000000", true)]
    [InlineData("connection tracking", 0x0100, "01000000 0B000100 686F737467770000", false)]
    [InlineData("a message cut short", 0x0A00, "0100", false)]
    public void Concerns(string because, int type, string payload, bool expected)
    {
        byte[] bytes = Convert.FromHexString(payload.Replace(" ", "", StringComparison.Ordinal));
        Assert.True(expected == RuleNotifications.Concerns((ushort)type, bytes), because);
    }

    // Foreign routes as RTM_NEWROUTE (24) or RTM_DELROUTE (25): rtmsg, then RTA_DST, RTA_GATEWAY, RTA_OIF.
    [Theory]
    [InlineData("on-link to another prefix", 24, 0x0A010000, 0, 2, true)]
    [InlineData("the connected prefix again", 24, 0x0A000000, 0, 2, false)]
    [InlineData("the connected prefix over another interface", 24, 0x0A000000, 0, 3, true)]
    [InlineData("the connected prefix is gone", 25, 0x0A000000, 0, 2, true)]
    [InlineData("by a gateway to another prefix", 24, 0x0A010000, 0x0A000009, 2, false)]
    [InlineData("by a gateway to the connected prefix", 24, 0x0A000000, 0x0A000009, 2, true)]
    [InlineData("a connected prefix, which may come after its address", 24, 0x0A020000, 0, 2, true, 2)]
    [InlineData("the connected prefix is gone", 25, 0x0A000000, 0, 2, true, 2)]
    [InlineData("the connected prefix again", 24, 0x0A000000, 0, 2, false, 2)]
    [InlineData("to a pod of this node, whose interface's settings a pass checks", 24, 0x0AF40100, 0, 3, true)]
    public void Routes_that_may_change_what_is_on_link_wake_a_pass(
        string because, int type, int destination, int gateway, int link, bool wakes, int protocol = 3)
    {
        RouteNotifications notifications = new(routeProtocol: 157, ownPort: 7, TimeProvider.System);
        notifications.SetPlan(Planner.Plan(
            Given.Nodes("self 10.244.1.0/24 10.0.0.1", "peer 10.244.2.0/24 10.0.0.2"), Given.Host("eth0 10.0.0.1/24; eth1 10.7.0.1/24"),
            Given.Policy("")), []);
        string by = gateway == 0 ? "" : $"08000500{gateway:X8}";
        string message = $"02180000FE{protocol:X2}FD01{0:X8}08000100{destination:X8}{by}08000400{link:X2}000000";
        string header = $"{16 + (message.Length / 2):X2}000000{type:X2}000000{0:X16}";
        Assert.True(wakes == (notifications.Read(Convert.FromHexString(header + message)) == WakeCauses.Routes), because);
    }

    // rtnetlink messages: a header, then rtmsg or fib_rule_hdr and attributes.
    [Theory]
    [InlineData("a policy rule", 32, "02000000 34000001 00000000 08000600 96140000", "PolicyRules")]
    [InlineData("a policy rule is gone", 33, "0A000000 34000001 00000000", "PolicyRules")]
    [InlineData("a blackhole in a peer's podCIDR", 24, "02190000 FE040006 00000000 08000F00 FE000000 08000100 0AF40280", "Routes")]
    [InlineData("a route to a pod of a peer's", 24, "02200000 FE040001 00000000 08000F00 FE000000 08000100 0AF40207", "Routes")]
    [InlineData("a route to a pod of ours", 24, "02200000 FE040001 00000000 08000F00 FE000000 08000100 0AF40107", "Routes")]
    [InlineData("a wider route on-link", 24, "02100000 FE040001 00000000 08000F00 FE000000 08000100 0AF40000", "Routes")]
    [InlineData("half of all addresses over an interface, as a VPN takes them", 24,
        "02010000 FE030001 00000000 08000F00 FE000000 08000400 09000000", "Routes")]
    [InlineData("a wider route by a gateway", 24,
        "02100000 FE040001 00000000 08000F00 FE000000 08000100 0AF40000 08000500 0A000009", "None")]
    [InlineData("the link-local prefix of a new interface", 24,
        "0A400000 FE020001 00000000 08000F00 FE000000 14000100 FE800000000000000000000000000000 08000400 09000000", "None")]
    [InlineData("the same in another table", 24, "02190000 34040006 00000000 08000F00 34000000 08000100 0AF40280", "None")]
    [InlineData("our probe address is gone", 25, "02200000 FF9DFE02 00000000 08000F00 FF000000 08000100 0AF40100 08000400 01000000", "Routes")]
    [InlineData("a foreign route in its place", 24, "02200000 FF04FE06 00000000 08000F00 FF000000 08000100 0AF40100", "Routes")]
    [InlineData("a local route of ours to elsewhere", 24, "02200000 FF9DFE02 00000000 08000F00 FF000000 08000100 0AF40900", "Routes")]
    [InlineData("a foreign route that makes others' addresses local", 24,
        "02180000 FF03FE02 00000000 08000F00 FF000000 08000100 0AF40200 08000400 01000000", "Routes")]
    [InlineData("an address of a Service", 24, "02200000 FF02FE02 00000000 08000F00 FF000000 08000100 0A600001 08000400 09000000", "None")]
    [InlineData("our IPv6 probe address is gone", 25,
        "0A800000 FF9D0002 00000000 08000F00 FF000000 14000100 FD000010024400010000000000000000 08000400 01000000", "Routes")]
    [InlineData("an IPv6 route for certain sources", 24,
        "0A404000 FE040001 00000000 08000F00 FE000000 14000100 FD000002000000000000000000000000 14000200 FD000001000000000000000000000000", "Routes")]
    [InlineData("a VNI of another link's, without a tunnel", 120, "07000000 02000000 0C000180 08000100 9D000000", "None")]
    public void Wakes(string because, int type, string payload, string expected)
    {
        HostState host = Given.Host(Given.Lan);
        RouteNotifications notifications = new(157, ownPort: 7, TimeProvider.System);
        notifications.SetPlan(Planner.Plan(
            Given.Nodes(Given.Self, "b 10.244.2.0/24 10.0.0.2"), host, Given.Policy("")), []);
        byte[] body = Convert.FromHexString(payload.Replace(" ", "", StringComparison.Ordinal));
        byte[] message = Message(type, body);
        Assert.True(expected == $"{notifications.Read(message)}", because);
        Assert.True(expected == $"{notifications.Read(message)}", $"{because}, again");
    }

    // tunnel_msg: its family, then the index of the link; 2 is eth0, and 9 nobody has announced.
    [Theory]
    [InlineData("a VNI of ours", 120, "07000000 07000000 0C000180 08000100 9D000000", "Links")]
    [InlineData("a VNI of ours is gone", 121, "07000000 07000000 0C000180 08000100 9D000000", "Links")]
    [InlineData("a VNI of a new link's", 120, "07000000 09000000 0C000180 08000100 9D000000", "Links")]
    [InlineData("a VNI of another link's", 120, "07000000 02000000 0C000180 08000100 9D000000", "None")]
    public void While_there_is_a_tunnel_its_VNIs_wake_a_pass(string because, int type, string payload, string expected)
    {
        RouteNotifications notifications = new(157, ownPort: 7, TimeProvider.System);
        notifications.SetPlan(
            new()
            {
                Tunnel = new(4790, 157, []),
                Interfaces = [new(2, "eth0", true, false), new(7, "hostgw0", true, false) { IsTunnel = true }],
            }, []);
        byte[] body = Convert.FromHexString(payload.Replace(" ", "", StringComparison.Ordinal));
        Assert.True(expected == $"{notifications.Read(Message(type, body))}", because);
    }

    // The plan before knows nothing of b, and of table 52.
    [Theory]
    [InlineData("a blackhole in a new peer's podCIDR", 24, "02190000 FE040006 00000000 08000F00 FE000000 08000100 0AF40280", "Routes")]
    [InlineData("a route to elsewhere", 24, "02180000 FE040001 00000000 08000100 0AF40900 08000500 0A000009", "Routes")]
    [InlineData("a route of a table that a new rule asks", 24, "02180000 34040001 00000000 08000F00 34000000 08000100 0AF40200", "Routes")]
    [InlineData("a VNI of a link that is new", 120, "07000000 09000000 0C000180 08000100 9D000000", "Routes")]
    [InlineData("a VNI of an existing link", 120, "07000000 02000000 0C000180 08000100 9D000000", "Routes")]
    [InlineData("what wakes anyway", 32, "02000000 34000001 00000000 08000600 96140000", "")]
    public void What_did_not_matter_to_the_plan_before_wakes_again_if_it_came_while_a_pass_was_reading(
        string because, int type, string payload, string expected)
    {
        List<WakeCauses> woken = [];
        RouteNotifications notifications = new(157, ownPort: 7, TimeProvider.System) { Wake = woken.Add };
        Plan before = PlanOf(Given.Self), after = PlanOf(Given.Self, "b 10.244.2.0/24 10.0.0.2") with { Tunnel = new(4790, 157, []) };
        notifications.SetPlan(before, []);
        byte[] message = Message(type, Convert.FromHexString(payload.Replace(" ", "", StringComparison.Ordinal)));

        notifications.Read(message);
        notifications.BeginRead(); // it reads what was announced before
        notifications.SetPlan(after, Rules("52: from all lookup 52"));
        Assert.Empty(woken);
        notifications.SetPlan(before, []);

        notifications.BeginRead();
        Assert.Equal(expected.Length == 0, notifications.Read(message) != WakeCauses.None);
        notifications.SetPlan(before, []);
        Assert.Empty(woken);
        notifications.SetPlan(after, Rules("52: from all lookup 52"));
        Assert.True(expected == string.Join(", ", woken), because);
    }

    // Tentative, in use, and detection failed: of the first two the second does not wake.
    [Fact]
    public void An_address_that_another_machine_has_wakes_and_so_does_its_return()
    {
        RouteNotifications notifications = new(157, ownPort: 7, TimeProvider.System);
        WakeCauses Read(int type, string flags) => notifications.Read(Message(
            type, Convert.FromHexString($"0A40{flags}000900000014000100FD00AAAA000000000000000000000001")));

        Assert.Equal(WakeCauses.Addresses, Read(20, "C0"));
        Assert.Equal(WakeCauses.None, Read(20, "80"));
        Assert.Equal(WakeCauses.Addresses, Read(20, "C8"));
        Assert.Equal(WakeCauses.None, Read(20, "C8"));
        Assert.Equal(WakeCauses.Addresses, Read(21, "C8"));
        Assert.Equal(WakeCauses.Addresses, Read(20, "C0"));
    }

    // Interface 9: ifinfomsg, whose third word says whether it is up, and IFLA_IFNAME; ifaddrmsg and IFA_ADDRESS.
    [Theory]
    [InlineData("it is down", 16, "09000000 80000000", 16, "09000000 81000000")]
    [InlineData("it has an address", 20, "09000000 08000100 0AF40109", 21, "09000000 08000100 0AF40109")]
    [InlineData("it has none", 21, "09000000 08000100 0AF40101", 20, "09000000 08000100 0AF40101")]
    public void What_we_repair_ourselves_wakes_nobody_and_the_same_damage_wakes_again(
        string because, int type, string damage, int repairType, string repair)
    {
        RouteNotifications notifications = new(157, ownPort: 7, TimeProvider.System);
        string Whole(string words) => type == 16 ? $"00000000 {words} 00000000 0C000300 686F737467773000" : $"02208000 {words}";
        byte[] done = Message(type, Convert.FromHexString(Whole(damage).Replace(" ", "", StringComparison.Ordinal)));
        byte[] repaired = Message(repairType, Convert.FromHexString(Whole(repair).Replace(" ", "", StringComparison.Ordinal)));
        repaired[12] = 7; // the port of who did it
        for (int i = 0; i < 3; i++)
        {
            Assert.True(notifications.Read(done) != WakeCauses.None, because);
            Assert.Equal(WakeCauses.None, notifications.Read(repaired));
        }
    }

    private static Plan PlanOf(params string[] nodes) => Planner.Plan(Given.Nodes(nodes), Given.Host(Given.Lan), Given.Policy(""));

    [Theory]
    [InlineData("34000000", "52: from all lookup 52", true)]
    [InlineData("10270000", "52: from all lookup 10000", true)]
    [InlineData("35000000", "52: from all lookup 52", false)]
    [InlineData("34000000", "52: from all fwmark 0x1 lookup 52", false)]
    [InlineData("34000000", "", false)]
    [InlineData("34000000", "1000: from all lookup l3mdev", true)]
    [InlineData("10270000", "1000: from all lookup l3mdev", true)]
    [InlineData("FF000000", "1000: from all lookup l3mdev", false)]
    public void A_route_of_a_table_that_policy_rules_ask_wakes_a_pass_at_most_every_five_seconds(string table, string rule, bool wakes)
    {
        ManualTime time = new();
        List<WakeCauses> later = [];
        RouteNotifications notifications = new(157, ownPort: 7, time) { Wake = later.Add };
        notifications.SetPlan(new(), Rules(rule));
        byte[] route = Message(24, Convert.FromHexString(
            "02180000" + (table == "10270000" ? "FC" : table[..2]) + (table == "FF000000" ? "02" : "04") + // the kernel's, or static
            "00010000000008000F00" + table + "080001000AF40200"));

        Assert.Equal(wakes ? WakeCauses.PolicyRules : WakeCauses.None, notifications.Read(route));
        for (int i = 0; i < 1000; i++)
            Assert.Equal(WakeCauses.None, notifications.Read(route));
        time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Empty(later);
        time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(wakes ? [WakeCauses.PolicyRules] : [], later);

        Assert.Equal(WakeCauses.None, notifications.Read(route));
        time.Advance(TimeSpan.FromSeconds(5.1));
        Assert.Equal(wakes ? 2 : 0, later.Count);
        time.Advance(TimeSpan.FromSeconds(5.1));
        Assert.Equal(wakes ? WakeCauses.PolicyRules : WakeCauses.None, notifications.Read(route));
    }

    private static ImmutableArray<PolicyRule> Rules(string text) => text.Split(' ') is [_, _, _, .., var table]
        ?
        [
            new()
            {
                Preference = 52,
                Action = PolicyRuleAction.Lookup,
                Table = table == "l3mdev" ? 0 : uint.Parse(table, CultureInfo.InvariantCulture),
                IsVrf = table == "l3mdev",
                Mark = text.Contains("fwmark", StringComparison.Ordinal) ? 1u : 0,
                MarkMask = uint.MaxValue,
            },
        ]
        : [];

    private static byte[] Message(int type, byte[] body)
    {
        byte[] message = new byte[16 + body.Length];
        BitConverter.TryWriteBytes(message, message.Length);
        BitConverter.TryWriteBytes(message.AsSpan(4), (ushort)type);
        body.CopyTo(message, 16);
        return message;
    }

    [Fact]
    public void The_end_of_a_transaction_names_its_program()
    {
        byte[] payload = Convert.FromHexString("00000005" + "0800010000000005" + "0800020000000A2C" + "080003006E667400");
        Assert.Equal("nft", RuleNotifications.ProgramOf(0x0A0F, payload));
        Assert.Null(RuleNotifications.ProgramOf(0x0A06, payload));
        Assert.Null(RuleNotifications.ProgramOf(0x0A0F, payload.AsSpan(0, 12)));
    }
}
