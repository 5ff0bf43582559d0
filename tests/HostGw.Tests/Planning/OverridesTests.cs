using System.Collections.Immutable;
using System.Globalization;
using HostGw.Planning;

namespace HostGw.Tests.Planning;

/// <summary>Which policy rules and IPv6 routes keep packets from taking HostGw's routes.</summary>
public class OverridesTests
{
    private const string Host = Given.Lan + "; br0 10.244.1.1/24 fd00:10:244:1::1/64; vpn0 172.31.0.1/24; " +
        "10.244.1.0/24 dev br0 proto 2; 10.244.2.0/24 via 10.0.0.2 dev eth0 proto 157; 10.244.3.0/24 via 10.0.0.3 dev eth0 proto 157; " +
        "fd00:10:244:1::/64 dev br0 proto 2; fd00:10:244:2::/64 via fd00:aaaa::2 dev eth0 proto 157";

    private static readonly string[] Nodes =
        [Given.Self, "b 10.244.2.0/24,fd00:10:244:2::/64 10.0.0.2,fd00:aaaa::2", "c 10.244.3.0/24 10.0.0.3"];

    private static string[] Many =>
        [Given.Self, .. Enumerable.Range(2, 2000).Select(n => $"n{n} 10.{100 + n / 250}.{n % 250}.0/24 10.0.{n / 250}.{n % 250}")];

    /// <summary>Rules ("PREFERENCE RULE"), routes of tables ("TABLE ROUTE"), and what is found.</summary>
    [Theory]
    [InlineData("5270 lookup 52", "52 10.244.0.0/16 dev vpn0", "5270 -> table 52 (10.244.0.0/16 dev vpn0): all")]
    [InlineData("5270 lookup 52", "52 10.244.3.0/24 dev vpn0", "5270 -> table 52 (10.244.3.0/24 dev vpn0): 10.244.3.0/24")]
    [InlineData("5270 lookup 52", "52 10.244.3.0/24 via 10.0.0.3 dev eth0", "")]
    [InlineData("5270 lookup 52", "52 100.64.0.0/10 dev vpn0", "")]
    [InlineData("32766 lookup main; 40000 lookup 52", "52 10.244.0.0/16 dev vpn0", "")]
    [InlineData("1000 iif eth0 lookup 100", "100 0.0.0.0/0 via 10.0.0.254 dev eth0", "1000 -> table 100 (0.0.0.0/0 via 10.0.0.254 dev eth0): all")]
    [InlineData("1000 iif br0 lookup 100", "100 0.0.0.0/0 via 10.0.0.254 dev eth0", "1000 -> table 100 (0.0.0.0/0 via 10.0.0.254 dev eth0): all")]
    [InlineData("1000 iif vpn0 lookup 100", "100 0.0.0.0/0 via 10.0.0.254 dev eth0", "")]
    [InlineData("1000 oif vpn0 lookup 100", "100 0.0.0.0/0 via 10.0.0.254 dev eth0", "")]
    [InlineData("1000 from 10.0.0.1 lookup 100", "100 0.0.0.0/0 via 10.0.0.254 dev eth0", "1000 -> table 100 (0.0.0.0/0 via 10.0.0.254 dev eth0): all")]
    [InlineData("1000 from 172.31.0.1 lookup 100", "100 0.0.0.0/0 dev vpn0", "")]
    [InlineData("1000 from 10.244.1.0/24 to 10.244.3.0/24 lookup 100", "100 0.0.0.0/0 dev vpn0", "1000 -> table 100 (0.0.0.0/0 dev vpn0): 10.244.3.0/24")]
    [InlineData("1000 from 10.244.1.77 lookup 100", "100 0.0.0.0/0 dev vpn0", "1000 -> table 100 (0.0.0.0/0 dev vpn0): all")]
    [InlineData("1000 from 10.9.0.0/16 lookup 100", "100 0.0.0.0/0 dev vpn0", "")]
    [InlineData("1000 to 10.244.2.0/24 prohibit", "", "1000 -> nothing: the rule drops them: 10.244.2.0/24")]
    [InlineData("1000 lookup 52", "52 10.244.2.0/24 blackhole", "1000 -> table 52 (blackhole or unreachable 10.244.2.0/24): 10.244.2.0/24")]
    // wg-quick, and tailscale without routes of ours
    [InlineData("32764 lookup main suppress 0; 32765 not fwmark 0xca6c lookup 51820", "51820 0.0.0.0/0 dev vpn0", "")]
    [InlineData("32765 not fwmark 0xca6c lookup 51820", "51820 0.0.0.0/0 dev vpn0", "32765 -> table 51820 (0.0.0.0/0 dev vpn0): all")]
    [InlineData("5210 fwmark 0x80000 lookup main; 5250 fwmark 0x80000 unreachable; 5270 lookup 52", "52 100.64.0.0/10 dev vpn0", "")]
    [InlineData("1000 fwmark 0x1 lookup 100", "100 0.0.0.0/0 dev vpn0", "")]
    [InlineData("1000 from 10.244.1.0/24 ipproto tcp lookup 100", "100 0.0.0.0/0 dev vpn0", "1000 -> table 100 (0.0.0.0/0 dev vpn0): all")]
    [InlineData("1000 ipproto sctp lookup 100", "100 0.0.0.0/0 dev vpn0", "1000 -> table 100 (0.0.0.0/0 dev vpn0): all")]
    [InlineData("1000 ipproto tcp dport 443 lookup 100", "100 0.0.0.0/0 dev vpn0", "1000 -> table 100 (0.0.0.0/0 dev vpn0): all")]
    [InlineData("1000 sport 1000-2000 lookup 100", "100 0.0.0.0/0 dev vpn0", "1000 -> table 100 (0.0.0.0/0 dev vpn0): all")]
    [InlineData("1000 not ipproto tcp lookup 100", "100 0.0.0.0/0 dev vpn0", "1000 -> table 100 (0.0.0.0/0 dev vpn0): all")]
    [InlineData("1000 not ipproto udp lookup 100", "100 0.0.0.0/0 dev vpn0", "1000 -> table 100 (0.0.0.0/0 dev vpn0): all")]
    [InlineData("900 ipproto tcp lookup main; 1000 lookup 100", "100 0.0.0.0/0 dev vpn0", "1000 -> table 100 (0.0.0.0/0 dev vpn0): all")]
    [InlineData("1000 ipproto tcp lookup 100", "100 10.9.0.0/16 dev vpn0", "")]
    [InlineData("1000 tos 0x10 lookup 100", "100 0.0.0.0/0 dev vpn0", "")]
    // HostGw's own before it, and one that suppresses too much to be of use
    [InlineData("100 to 10.244.0.0/16 lookup main suppress 15; 5270 lookup 52", "52 10.244.0.0/16 dev vpn0", "")]
    [InlineData("100 lookup main suppress 24; 5270 lookup 52", "52 10.244.0.0/16 dev vpn0", "5270 -> table 52 (10.244.0.0/16 dev vpn0): all")]
    [InlineData("1000 goto 6000; 5270 lookup 52; 6000 nop", "52 10.244.0.0/16 dev vpn0", "")]
    public void A_rule_is_named_if_packets_take_another_route_for_it(string rules, string tables, string expected)
    {
        ModelTables kernel = new(rules, tables);
        Assert.Equal(expected.Length == 0 ? [] : [expected], Find(kernel));
        Assert.InRange(kernel.Asked, 0, Overrides.MostLookups);
    }

    [Theory]
    [InlineData("no main", "", "none -> no route: all")]
    [InlineData("no main; 500 from 10.9.0.0/16 lookup 7", "", "none -> no route: all")]
    [InlineData("no main; 500 fwmark 0x1 lookup main", "", "none -> no route: all")]
    [InlineData("no main; 500 lookup main suppress 24", "", "none -> no route: all")]
    [InlineData("32766 from 10.0.0.0/24 lookup main", "", "none -> no route: all")]
    [InlineData("no main; 500 to 10.244.1.0/24 lookup main; 501 to 10.244.2.0/24 lookup main", "", "none -> no route: 10.244.3.0/24")]
    [InlineData("no main; 500 goto 600; 550 lookup main; 600 nop", "", "none -> no route: all")]
    [InlineData("no main; 500 goto 600; 600 lookup main", "", "")]
    [InlineData("no main; 40000 lookup main", "", "")]
    [InlineData("no main; 500 lookup main suppress 0", "", "")]
    [InlineData("no main; 100 to 10.244.0.0/16 lookup main suppress 15", "", "")]
    [InlineData("no main; 500 lookup 52", "52 10.244.0.0/16 dev vpn0", "500 -> table 52 (10.244.0.0/16 dev vpn0): all")]
    [InlineData("no main; 500 lookup 52", "52 10.0.0.0/8 via 10.0.0.254 dev eth0", "500 -> table 52 (10.0.0.0/8 via 10.0.0.254 dev eth0): all")]
    public void Where_no_rule_leads_to_table_main_that_is_named(string rules, string tables, string expected) =>
        Assert.Equal(expected.Length == 0 ? [] : [expected], Find(new(rules, tables)));

    [Fact]
    public void A_kernel_that_finds_main_without_a_rule_for_it_is_believed()
    {
        HostState host = Given.Host(Host) with { PolicyRules = Given.PolicyRules("no main") };
        Assert.Empty(Overrides.Find(Planner.Plan(Given.Nodes(Nodes), host, Given.Policy("")), host, new MainAlone()));
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("4 local, 4 main, 4 default, 6 local, 6 main", true)]
    [InlineData("4 local, 4 main, 4 default", true)]
    [InlineData("4 local, 4 main, 4 default, 6 local", false)]
    [InlineData("4 local, 4 default, 6 local, 6 main", false)]
    public void Rules_are_the_usual_ones_if_each_family_has_that_of_table_main(string rules, bool areUsual) =>
        Assert.Equal(areUsual, PolicyRule.AreUsual(
            [.. rules.Split(", ", StringSplitOptions.RemoveEmptyEntries).Select(r => r.Split(' ')).Select(r => new PolicyRule
            {
                IsIPv6 = r[0] == "6",
                Preference = r[1] switch { "local" => 0u, "main" => 32766u, _ => 32767u },
                Table = r[1] switch { "local" => RoutingTables.Local, "main" => RoutingTables.Main, _ => RoutingTables.Default },
            })]));

    // As the plugin ptp makes them: each pod has an interface of its own.
    [Theory]
    [InlineData("1000 iif veth1 lookup 100")]
    [InlineData("1000 iif veth2 lookup 100")]
    [InlineData("1000 not iif veth1 lookup 100")]
    [InlineData("1000 not from 10.244.1.5 lookup 100")]
    [InlineData("1000 not to 10.244.1.5 lookup 100")]
    public void A_rule_on_the_interface_or_address_of_any_pod_is_found(string rule)
    {
        const string pods = "veth1 10.244.1.1/32; veth2 10.244.1.1/32; 10.244.1.5/32 dev veth1; 10.244.1.6/32 dev veth2; ";
        string host = Host.Replace("br0 10.244.1.1/24 fd00:10:244:1::1/64; ", pods, StringComparison.Ordinal)
            .Replace("10.244.1.0/24 dev br0 proto 2; ", "", StringComparison.Ordinal)
            .Replace("fd00:10:244:1::/64 dev br0 proto 2; ", "", StringComparison.Ordinal);
        Assert.Equal(
            ["1000 -> table 100 (0.0.0.0/0 via 10.0.0.254 dev eth0): all"],
            Find(new(rule, "100 0.0.0.0/0 via 10.0.0.254 dev eth0"), host));
    }

    // rp_filter and others make the kernel refuse an answer: then only rules and tables can tell.
    [Theory]
    [InlineData("5270 lookup 52", "52 10.244.0.0/16 dev vpn0", "5270 -> table 52 (10.244.0.0/16 dev vpn0): all")]
    [InlineData("5270 lookup 52", "52 100.64.0.0/10 dev vpn0", "")]
    [InlineData("5270 lookup 52 suppress 16", "52 10.244.0.0/16 dev vpn0", "")]
    public void Where_the_kernel_refuses_to_say_tables_are_read(string rules, string tables, string expected) =>
        Assert.Equal(expected.Length == 0 ? [] : [expected], Find(new(rules, tables) { Refuses = true }));

    [Fact]
    public void Without_foreign_rules_nothing_is_asked()
    {
        ModelTables kernel = new("", "");
        Assert.Empty(Find(kernel));
        Assert.Equal(0, kernel.Asked);
        Assert.Empty(Find(kernel = new("5270 fwmark 0x1 lookup 52; 32764 lookup main suppress 0; 32765 lookup 53", "")));
        Assert.Equal(0, kernel.Asked);
    }

    [Fact]
    public void While_no_pod_has_an_interface_the_hosts_own_packets_are_asked_for() =>
        Assert.Equal(
            ["5270 -> table 52 (10.244.0.0/16 dev vpn0): all"],
            Find(new("5270 lookup 52", "52 10.244.0.0/16 dev vpn0"), Host.Replace("10.244.1.0/24 dev br0 proto 2; ", "", StringComparison.Ordinal)));

    // c is behind eth1, b behind eth0.
    [Theory]
    [InlineData("1000 iif eth1 lookup 100", "1000 -> table 100 (0.0.0.0/0 dev vpn0): 10.244.3.0/24")]
    [InlineData("1000 iif eth0 lookup 100", "1000 -> table 100 (0.0.0.0/0 dev vpn0): 10.244.2.0/24")]
    [InlineData("1000 to 10.244.1.0/24 lookup 100", "1000 -> table 100 (0.0.0.0/0 dev vpn0): all")]
    public void The_way_back_is_asked_for_each_interface_by_which_peers_packets_come(string rule, string expected)
    {
        ModelTables kernel = new(rule, "100 0.0.0.0/0 dev vpn0");
        string[] nodes = ["self 10.244.1.0/24 10.0.0.1", "b 10.244.2.0/24 10.0.0.2", "c 10.244.3.0/24 10.1.0.3"];
        string host = Host.Replace("via 10.0.0.3 dev eth0", "via 10.1.0.3 dev eth0", StringComparison.Ordinal);
        Assert.Equal([expected], Find(kernel, "eth1 10.1.0.1/24; " + host, nodes));
    }

    [Fact]
    public void A_node_that_lists_only_an_ExternalIP_is_asked_for_as_well()
    {
        string[] nodes = ["self 10.244.1.0/24 - external=10.0.0.1", .. Nodes[1..]];
        Assert.Equal(
            ["1000 -> table 100 (0.0.0.0/0 dev vpn0): all"],
            Find(new("1000 from 10.0.0.1 lookup 100", "100 0.0.0.0/0 dev vpn0"), nodes: nodes));
    }

    // 2,000 rules, 2,000 peers: those beyond the last lookup are not even looked at.
    [Fact]
    public void Once_the_lookups_are_used_up_it_ends()
    {
        HostState host = Given.Host("eth0 10.0.0.1/16; br0 10.244.1.1/24; 10.244.1.0/24 dev br0 proto 2") with
        {
            PolicyRules = Given.PolicyRules(string.Join("; ", Enumerable.Range(1, 2000).Select(n => $"{n} lookup {n + 1000}"))),
        };
        Plan plan = Planner.Plan(Given.Nodes(Many), host, Given.Policy(""));
        MainAlone kernel = new();
        long before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Empty(Overrides.Find(plan, host, kernel));

        Assert.Equal(Overrides.MostLookups, kernel.Asked);
        // 200 KB of peers for each rule that is looked at.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200_000_000);
    }

    [Fact]
    public void A_large_cluster_is_sampled()
    {
        ModelTables kernel = new("1 lookup 1; 2 lookup 2; 3 lookup 3", "");
        string host = "eth0 10.0.0.1/16; br0 10.244.1.1/24; 10.244.1.0/24 dev br0 proto 2";
        Assert.Empty(Find(kernel, host, Many));
        Assert.InRange(kernel.Asked, 100, Overrides.MostLookups);
    }

    [Theory]
    [InlineData("fd00:10:244:1::/64", "fd00:10:244:2::/64 dev vpn0", true)]
    [InlineData("fd00:10:244:1::5/128", "fd00:10:244:2::7/128 dev vpn0", true)]
    [InlineData("fd00:10:244::/48", "fd00:10:244:2::/64 dev vpn0", true)]
    [InlineData("fd00:10:244:1::/64", "::/0 dev vpn0", false)]
    [InlineData("fd00:10:244:1::/64", "fd00:10:244::/48 dev vpn0", false)]
    [InlineData("fd00:9::/64", "fd00:10:244:2::/64 dev vpn0", false)]
    [InlineData("fd00:10:244:1::/64", "fd00:10:244:2::/64 via fd00:aaaa::2 dev eth0", false)]
    public void An_IPv6_route_for_the_pods_source_is_named_if_it_is_at_least_as_long(string source, string route, bool isNamed)
    {
        HostState host = Given.Host(Host);
        HostRoute foreign = Given.Host($"{Host}; {route} proto 4").Routes.Single(r => r.Protocol == 4);
        host = host with { SourceRoutes = [new(Prefix.Parse(source), foreign)] };

        Plan plan = Planner.Plan(Given.Nodes(Nodes), host, Given.Policy(""));
        IReadOnlyList<RouteOverride> found = Overrides.Find(plan, host, new ModelTables("", ""));

        Assert.Equal(isNamed, found.Count == 1);
        if (isNamed)
        {
            Assert.Equal($"ip -6 route del {route.Split(' ')[0]} from {source} proto 4", found[0].Removal);
            Assert.Equal([Prefix.Parse("fd00:10:244:2::/64")], found[0].Affected);
            Assert.False(found[0].IsByRule);
        }
    }

    // As transparent proxies have it; this host answers for those addresses.
    [Theory]
    [InlineData("10.244.2.0/24", "to other nodes' pods", "10.244.2.0/24")]
    [InlineData("10.244.2.128/25", "to other nodes' pods", "10.244.2.0/24")]
    [InlineData("10.244.0.0/16", "to other nodes' pods", "10.244.2.0/24, 10.244.3.0/24")]
    [InlineData("fd00:10:244:2::/64", "to other nodes' pods", "fd00:10:244:2::/64")]
    [InlineData("10.244.1.128/25", "to this node's pods", "10.244.1.0/24")]
    [InlineData("10.244.1.1/32", "to this node's pods", "10.244.1.0/24")]
    [InlineData("10.244.1.0/32", "", "")] // the probe address, of another routeProtocol
    [InlineData("172.31.0.0/16", "", "")]
    public void A_foreign_route_of_table_local_over_podCIDRs_is_named(string local, string traffic, string affected)
    {
        HostState host = WithLocal("local", local, "lo");
        Plan plan = Planner.Plan(Given.Nodes(Nodes), host, Given.Policy(""));

        RouteOverride[] found = [.. Overrides.Find(plan, host, new ModelTables("", ""))];

        Assert.Equal(affected.Length == 0 ? [] : [traffic], found.Select(f => f.Traffic));
        Assert.Equal(affected, string.Join(", ", found.SelectMany(f => f.Affected).Order()));
        string family = local.Contains(':', StringComparison.Ordinal) ? "-6 " : "";
        Assert.All(found, f => Assert.Equal(
            ($"the route local {local} dev lo", $"ip {family}route del local {local} table local proto 3"), (f.Cause, f.Removal)));
        Assert.All(found, f => Assert.Equal(local is "10.244.2.128/25" or "10.244.1.128/25" or "10.244.1.1/32", f.SparesProbes));
    }

    [Theory]
    [InlineData("local", "eth0", 0, "local 10.244.2.0/24", " dev eth0", " (this host takes them for its own)")]
    [InlineData("blackhole", "", 0, "blackhole 10.244.2.0/24", "", " (which drops them)")]
    [InlineData("prohibit", "", 0, "prohibit 10.244.2.0/24", "", " (which drops them)")]
    [InlineData("unicast", "vpn0", 0, "unicast 10.244.2.0/24", " dev vpn0", "")]
    [InlineData("unicast", "vpn0", 16, "unicast 10.244.2.0/24 tos 0x10", " dev vpn0", "")]
    public void Such_a_route_of_any_type_is_named_with_its_interface(
        string type, string link, byte tos, string route, string device, string effect)
    {
        HostState host = WithLocal(type, "10.244.2.0/24", link, tos);
        Plan plan = Planner.Plan(Given.Nodes(Nodes), host, Given.Policy(""));

        RouteOverride found = Assert.Single(Overrides.Find(plan, host, new ModelTables("", "")));

        Assert.Equal(
            ($"the route {route}{device}", $"table local{effect}", $"ip route del {route} table local proto 3"),
            (found.Cause, found.Instead, found.Removal));
    }

    // IPv4's tables local and main are one until the host gets its first policy rule.
    [Theory]
    [InlineData("10.244.0.0/16", 0)]
    [InlineData("10.244.2.0/24", 1)]
    [InlineData("10.244.2.128/25", 1)]
    [InlineData("fd00:10:244::/48", 1)]
    public void One_that_is_shorter_than_HostGws_is_named_unless_the_kernel_takes_the_longer_one(string local, int count)
    {
        HostState host = WithLocal("local", local, "lo");
        Plan plan = Planner.Plan(Given.Nodes(Nodes), host, Given.Policy(""));

        Assert.Equal(count, Overrides.Find(plan, host, new MainAlone()).Count);
    }

    private static HostState WithLocal(string type, string route, string link, byte tos = 0)
    {
        HostState host = Given.Host(Host);
        int index = host.Interfaces.FirstOrDefault(i => i.Name == link)?.Index ?? 0;
        return host with { ForeignLocalRoutes = [new(type, Prefix.Parse(route), tos, index, 3)] };
    }

    private static string[] Find(ModelTables kernel, string host = Host, string[]? nodes = null)
    {
        HostState state = Given.Host(host) with { PolicyRules = kernel.Rules };
        Plan plan = Planner.Plan(Given.Nodes(nodes ?? Nodes), state, Given.Policy(""));
        kernel.Host = state;
        return [.. Overrides.Find(plan, state, kernel).Select(o =>
            $"{(o.IsOmission ? "none" : o.Cause.Split(':', ' ')[2])} -> {o.Instead}: {(o.Affected.Count > 1 ? "all" : $"{o.Affected.Single()}")}")];
    }
}

internal sealed class MainAlone : IRouteLookup
{
    public int Asked { get; private set; }

    public RouteAnswer Ask(in PacketPath path)
    {
        Asked++;
        return new(RouteAnswerKind.Route, RoutingTables.Main, Prefix.Host(path.Destination), default, 0);
    }

    public RouteAnswer? LongestMatch(uint table, Ip destination) => null;
}

/// <summary>Policy rules and tables, and a kernel that looks packets up in them: by itself, not by the code under test.</summary>
internal sealed class ModelTables(string rules, string tables) : IRouteLookup
{
    public HostState Host { get; set; } = new();

    public bool Refuses { get; init; }

    public int Asked { get; private set; }

    public ImmutableArray<PolicyRule> Rules { get; } = Given.PolicyRules(rules);

    public RouteAnswer Ask(in PacketPath path)
    {
        Asked++;
        if (Refuses)
            return RouteAnswer.Refused;
        for (int i = 0; i < Rules.Length; i++)
        {
            PolicyRule rule = Rules[i];
            bool matches = (rule.From.IsNone || rule.From.Contains(path.Source)) && (rule.To.IsNone || rule.To.Contains(path.Destination)) &&
                (rule.InputInterface is "" || rule.InputInterface == path.InterfaceName) && rule.OutputInterface is "" && rule.Mark == 0 &&
                (rule.IpProtocol == 0 || rule.IpProtocol == (path.Protocol == 0 ? 17 : path.Protocol)) && rule.Further is "" &&
                IsIn(rule.SourcePorts, path.SourcePort) && IsIn(rule.DestinationPorts, path.DestinationPort);
            if (matches == rule.IsInverted || rule.Action == PolicyRuleAction.None)
                continue;
            if (rule.Action == PolicyRuleAction.Goto)
                i = Rules.IndexOf(Rules.First(r => r.Preference >= rule.Target)) - 1;
            else if (rule.Action != PolicyRuleAction.Lookup)
                return RouteAnswer.Refused;
            else if (LongestMatch(rule.Table, path.Destination) is { } match && match.Destination.Length > rule.SuppressPrefixLength)
                return match.Kind == RouteAnswerKind.Route ? match : RouteAnswer.Refused;
        }
        return RouteAnswer.Refused;
    }

    public RouteAnswer? LongestMatch(uint table, Ip destination) => Table(table)
        .Where(r => r.Destination.Contains(destination)).OrderByDescending(r => r.Destination.Length).Select(r => (RouteAnswer?)r).FirstOrDefault();

    private static bool IsIn(PortRange? range, int port) => range is not { } r || (port >= r.First && port <= r.Last);

    private IEnumerable<RouteAnswer> Table(uint table) => table == RoutingTables.Main
        ? Host.Routes.Select(r => new RouteAnswer(RouteAnswerKind.Route, table, r.Destination, r.NextHop, r.Interface))
        : tables.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(t => t.Split(' '))
            .Where(w => uint.Parse(w[0], CultureInfo.InvariantCulture) == table)
            .Select(w => new RouteAnswer(
                w.Contains("blackhole") ? RouteAnswerKind.Blocked : RouteAnswerKind.Route, table, Prefix.Parse(w[1]),
                w.Contains("via") ? Ip.Parse(w[Array.IndexOf(w, "via") + 1]) : default,
                w.Contains("dev") ? Host.Interfaces.Single(i => i.Name == w[^1]).Index : 0));
}
