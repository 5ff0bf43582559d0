using System.Text.Json;
using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>Routes that are installed and that packets do not take: by policy rules, or by more specific routes.</summary>
public sealed class OverriddenTests : LabTest
{
    private static readonly TimeSpan PingTimeout = TimeSpan.FromMilliseconds(500);

    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(3);

    private Node One => Cluster.Node(1);

    private Node Two => Cluster.Node(2);

    private Agent Agent => Cluster.Agent(One);

    // What it is, the commands, whether the node itself talks to the pod of node 2, and the family.
    private static readonly Dictionary<string, (string[] Commands, bool FromNode, int Family, string Problem)> Rules = new()
    {
        ["a VPN's table"] = (
            ["route add 192.168.0.0/16 dev vpn0 table 52", "rule add pref 5270 lookup 52"],
            false, 0, "policy rule 5270: from all lookup 52"),
        ["a rule on the node's address"] = (
            ["route add 10.0.0.0/24 dev eth0 table 100", "route add default via 10.0.0.1 table 100", "rule add pref 1000 from 10.0.0.11 lookup 100"],
            true, 0, "policy rule 1000: from 10.0.0.11/32 lookup 100"),
        ["a rule on the uplink"] = (
            ["route add default via 10.0.0.1 table 100", "rule add pref 1000 iif eth0 lookup 100"],
            false, 0, "policy rule 1000: from all iif eth0 lookup 100"),
        ["a rule that prohibits"] = (
            ["rule add pref 1000 from 192.168.1.0/24 to 192.168.0.0/16 prohibit"],
            false, 0, "policy rule 1000: from 192.168.1.0/24 to 192.168.0.0/16 prohibit"),
        ["a rule on a protocol"] = (
            ["route add default dev vpn0 table 52", "rule add pref 100 from 192.168.0.0/16 ipproto icmp lookup 52"],
            false, 0, "policy rule 100: from 192.168.0.0/16 ipproto icmp lookup 52"),
        ["a blackhole in a table"] = (
            ["route add blackhole 192.168.2.0/24 table 52", "rule add pref 5270 lookup 52"],
            false, 0, "blackhole or unreachable 192.168.2.0/24"),
        ["a VPN's table for IPv6"] = (
            ["-6 route add fd00:192:168::/48 dev vpn0 table 52", "-6 rule add pref 5270 lookup 52"],
            false, 1, "policy rule 5270: from all lookup 52"),
    };

    private static readonly (string[] Commands, bool FromNode, int Family, string Problem) SourceRoute = (
        ["-6 route add fd00:192:168:2::/64 from fd00:192:168:1::/64 dev vpn0"],
        false, 1, "the route fd00:192:168:2::/64 from fd00:192:168:1::/64 dev vpn0");

    private static readonly (string[] Commands, bool FromNode, int Family, string Problem) Blackhole = (
        ["route add blackhole 192.168.2.0/28"], false, 0, "a blackhole or other special route to 192.168.2.0/28 of protocol boot");

    public static TheoryData<string> RuleNames => [.. Rules.Keys];

    [Theory]
    [MemberData(nameof(RuleNames))]
    public Task A_policy_rule_that_takes_pods_packets_is_named_and_cured(string what) =>
        NamedAndCuredAsync(Rules[what], "overridden");

    [Fact]
    public Task An_IPv6_route_for_the_pods_source_is_named_and_cured() => NamedAndCuredAsync(SourceRoute, "overridden");

    [Fact]
    public Task A_blackhole_inside_a_peers_podCIDR_is_named_and_cured() => NamedAndCuredAsync(Blackhole, "shadowed");

    // The kernel looks at rules of IPv6 only once there is another one than the usual.
    [Fact]
    public Task A_host_without_a_rule_for_table_main_is_named_and_cured() => NamedAndCuredAsync(
        (["-6 rule add pref 500 from fd00:9::/64 lookup 7", "-6 rule del pref 32766"], false, 1, "none leads to table main"),
        "overridden");

    // Without the route to its own pods, and with an answer by this host itself, no ping tells.
    [Theory]
    [InlineData("own podCIDR 192.168.1.0/24 (shadowed)", "shadowed", "route add 192.168.1.0/25 dev vpn0")]
    [InlineData("the route local 192.168.2.0/24 dev lo", "overridden", "route add local 192.168.2.0/24 dev lo table local")]
    [InlineData("the route local 192.168.2.0/24 dev eth0", "overridden", "route add local 192.168.2.0/24 dev eth0 table local")]
    [InlineData("the route blackhole 192.168.2.0/24", "overridden", "route add blackhole 192.168.2.0/24 table local")]
    [InlineData("the route unicast 192.168.2.0/24 dev eth0", "overridden", "route add 192.168.2.0/24 via 10.0.0.254 table local")]
    [InlineData("the route blackhole 192.168.1.0/25", "overridden", "route add blackhole 192.168.1.0/25 table local")]
    public async Task What_takes_packets_to_pods_on_this_host_is_named_and_cured(string problem, string rule, string command)
    {
        await StartAllAsync();

        Break([command]);

        await Eventually.TrueAsync(async () => Problems(await Agent.StatusAsync()).Contains(problem, StringComparison.Ordinal), () => $"no {problem}");
        Assert.True(await Agent.IsReadyAsync());
        string cure = Agent.Findings().Single(f => f.GetProperty("rule").GetString() == rule).GetProperty("cure").GetString()!;
        One.Network.Exec("sh", "-c", cure[(cure.IndexOf("then: ", StringComparison.Ordinal) + 6)..]);
        await Eventually.TrueAsync(async () => Problems(await Agent.StatusAsync()) == "[]", () => "the problem remains");
        Assert.Empty(Agent.Diagnose());
    }

    private static string Problems(JsonElement status) => $"{status.GetProperty("problems")}";

    [Theory]
    [MemberData(nameof(RuleNames))]
    public async Task With_policyRule_packets_take_the_routes_though_such_a_rule_is_there(string what)
    {
        await StartAllAsync("--policy-rule", "on");

        Break(Rules[what].Commands);

        await AnswersAsync(Rules[what].FromNode, Rules[what].Family);
        await StateAsync("installed", Rules[what].Family);
        Assert.Empty(Agent.Diagnose());
    }

    [Fact]
    public async Task HostGws_policy_rule_is_repaired_and_goes_with_the_setting_and_with_cleanup()
    {
        const string Ours = "to 192.168.0.0/16 lookup main suppress_prefixlength 15 proto 157";
        One.Network.Configure(["rule add pref 90 from 172.16.0.0/12 lookup 7"]);
        Agent.Settings = Agent.Settings with { More = [.. Agent.Settings.More, "--policy-rule", "on"] };
        Assert.Contains("+ policy rule 89: from all to 192.168.0.0/16 lookup main suppress_prefixlength 15", Agent.RunWithSettings("plan"), StringComparison.Ordinal);
        await Agent.StartAndWaitAsync();
        await RuleAsync($"89:", Ours);

        One.Network.Configure(["rule del pref 89"]);
        await RuleAsync("89:", Ours);
        // Another rule that comes first: ours goes before it.
        One.Network.Configure(["rule add pref 50 to 192.168.0.0/16 lookup 7"]);
        await RuleAsync("49:", Ours);
        Assert.DoesNotContain("89:", Policy(), StringComparison.Ordinal);
        // The pass that did so is over when a later one is.
        await PassAsync(5001);
        double writes = await Agent.MetricAsync("hostgw_netlink_writes_total");
        await PassAsync(5000);
        Assert.Equal(writes, await Agent.MetricAsync("hostgw_netlink_writes_total"));

        await Agent.StopAsync();
        Assert.Contains("removed policy rule 49", Agent.Run("cleanup", "--nat-backend", "nftables"), StringComparison.Ordinal);
        Assert.DoesNotContain("proto 157", Policy(), StringComparison.Ordinal);
        await Agent.StartAndWaitAsync();
        await RuleAsync("49:", Ours);
        await Agent.StopAsync();
        Agent.Settings = Agent.Settings with { More = Clusters.Nftables };
        await Agent.StartAndWaitAsync();
        await Eventually.TrueAsync(() => !Policy().Contains("proto 157", StringComparison.Ordinal), Policy);
        Assert.Contains("50:\tfrom all to 192.168.0.0/16 lookup 7", Policy(), StringComparison.Ordinal);
    }

    // A rule that concerns no pod wakes it.
    private async Task PassAsync(int preference)
    {
        double passes = await Agent.MetricAsync("hostgw_passes_total");
        One.Network.Configure([$"rule add pref {preference} fwmark 0x1 lookup 7"]);
        await Eventually.TrueAsync(async () => await Agent.MetricAsync("hostgw_passes_total") > passes, () => "no pass");
    }

    private async Task NamedAndCuredAsync((string[] Commands, bool FromNode, int Family, string Problem) fault, string state)
    {
        await StartAllAsync();
        await AnswersAsync(fault.FromNode, fault.Family);

        Break(fault.Commands);

        await Eventually.TrueAsync(() => !Answers(fault.FromNode, fault.Family), () => "the ping is still answered");
        await StateAsync(state, fault.Family);
        Assert.Contains(fault.Problem, $"{(await Agent.StatusAsync()).GetProperty("problems")}", StringComparison.Ordinal);
        Assert.True(await Agent.IsReadyAsync());
        Assert.True(await Agent.MetricAsync($"hostgw_routes_{state}", fault.Family == 0 ? "family=\"ipv4\"" : "family=\"ipv6\"") >= 1);
        Assert.Contains(Agent.Log.LastWords(50), line => line.Contains($"({state})", StringComparison.Ordinal));

        string cure = Agent.Findings().Single(f => f.GetProperty("rule").GetString() == state).GetProperty("cure").GetString()!;
        One.Network.Exec("sh", "-c", cure[(cure.IndexOf("then: ", StringComparison.Ordinal) + 6)..]);

        await AnswersAsync(fault.FromNode, fault.Family);
        await StateAsync("installed", fault.Family);
        Assert.Empty(Agent.Diagnose());
    }

    private async Task StartAllAsync(params string[] more)
    {
        Agent.Settings = Agent.Settings with { More = [.. Agent.Settings.More, .. more] };
        await Cluster.StartAgentsAsync();
        await Expect.RoutesAsync(One, Cluster.Nodes.Skip(1).SelectMany(Expect.ByNodeAddress));
    }

    private void Break(string[] commands)
    {
        One.Network.Configure(["link add vpn0 type veth peer name vpn0p", "link set vpn0 up", "link set vpn0p up"]);
        foreach (string command in commands)
            One.Network.Exec("ip", command.Split(' '));
    }

    private bool Answers(bool fromNode, int family) => fromNode
        ? One.Network.Exec("sh", "-c", $"ping -c 1 -W 1 -I {One.Addresses[family]} {Two.Pods[0].Addresses[family]} || true").Contains(" 1 received", StringComparison.Ordinal)
        : Ping.Once(One.Pods[0].Network, Two.Pods[0].Addresses[family], PingTimeout) is not null;

    private Task<TimeSpan> AnswersAsync(bool fromNode, int family) =>
        Eventually.TrueAsync(() => Answers(fromNode, family), () => $"no answer; rules:\n{Policy()}");

    private async Task StateAsync(string state, int family)
    {
        string seen = "";
        await Eventually.TrueAsync(
            async () =>
            {
                JsonElement two = (await Agent.StatusAsync()).GetProperty("nodes").EnumerateArray()
                    .Single(n => n.GetProperty("name").GetString() == Two.Name);
                seen = two.GetProperty("podCidrs")[family].GetProperty("route").GetString()!;
                return seen == state;
            },
            () => $"the state is {seen}, not {state}");
    }

    private Task<TimeSpan> RuleAsync(string preference, string words) => Eventually.TrueAsync(
        () => Policy().Split('\n').Any(l => l.StartsWith(preference, StringComparison.Ordinal) && l.Contains(words, StringComparison.Ordinal)), Policy);

    private string Policy() => One.Network.Exec("ip", "-d", "rule");
}
