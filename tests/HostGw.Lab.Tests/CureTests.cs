using System.Text.Json;
using System.Text.RegularExpressions;
using HostGw.Lab.Agents;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>
/// The commands that `hostgw doctor` prints, typed as they are printed, on real kernels. Those of foreign rules: CensusTests, of policy
/// rules: <see cref="OverriddenTests"/>; all others on a model: CureTests of HostGw.Tests.
/// </summary>
public sealed partial class CureTests : LabTest
{
    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(3);

    private Node One => Cluster.Node(1);

    private Agent Agent => Cluster.Agent(One);

    // What somebody breaks, the rule that finds it, how the command begins that cures it, and what is put back afterwards.
    private static readonly (string Break, string Rule, string Command, string Restore)[] OfHost =
    [
        ("sysctl -qw net.ipv4.ip_forward=0", "forwarding", "sysctl -w net.ipv4.ip_forward=1", ""),
        ("sysctl -qw net.ipv4.conf.cni0.forwarding=0", "forwarding", "sysctl -w net.ipv4.conf.cni0.forwarding=1", ""),
        ("sysctl -qw net.ipv4.conf.default.forwarding=0", "forwarding", "sysctl -w net.ipv4.conf.default.forwarding=1", ""),
        ("sysctl -qw net.ipv6.conf.all.forwarding=0 net.ipv6.conf.eth0.accept_ra=1 net.ipv6.conf.cni0.accept_ra=1", "forwarding",
            "sysctl -w net.ipv6.conf.", ""),
        ("sysctl -qw net.ipv6.conf.cni0.accept_ra=2; ip -6 route add default via fd00:192:168:1::66 dev cni0 proto ra metric 99",
            "routerAdvertisements", "sysctl -w net.ipv6.conf.cni0.accept_ra=0 && ip -6 route del default dev cni0", ""),
        ("ip -6 route del default; sysctl -qw net.ipv6.conf.eth0.accept_ra=1", "routerAdvertisements",
            "sysctl -w net.ipv6.conf.eth0.accept_ra=2",
            "ip -6 route add default via fd00:10::1 dev eth0"),
        ("ip link add eth1.100 type veth peer name eth1p && ip link set eth1p up && ip addr add 10.0.0.99/24 dev eth1.100 && " +
            "ip link set eth1.100 up && ip route del 10.0.0.0/24 dev eth1.100 && " +
            "sysctl -qw net.ipv4.conf.eth1/100.rp_filter=1 net.ipv4.conf.all.rp_filter=1",
            "rpFilter", "sysctl -w net.ipv4.conf.eth1/100.rp_filter=2", "ip link del eth1.100"),
        ("ip neigh replace 10.0.0.12 lladdr 02:00:00:00:00:99 dev eth0 nud permanent", "fixedNeighbour", "ip neigh del 10.0.0.12 dev eth0",
            ""),
        ("ip link add cni9 type bridge && ip addr add 192.168.77.1/24 dev cni9 && ip link set cni9 up", "formerPods",
            "ip link delete cni9", ""),
        ("ip link add flannel.1 type veth peer name flannel.1p", "otherAgent", "ip link delete flannel.1", ""),
        ("ip route replace 192.168.2.0/24 via 10.0.0.13 dev eth0 proto 12", "conflict", "ip route del 192.168.2.0/24 proto 12", ""),
        ("iptables-nft -t nat -A POSTROUTING -s 192.168.0.0/16 -j MASQUERADE", "foreignMasquerade", "hostgw adopt --rules", ""),
    ];

    // The same while the agent runs: the problem comes to its status and goes.
    private static readonly (string Break, string Problem, string Rule, string Command)[] OfAgent =
    [
        ("ip -6 route add fd00:192:168:2::/64 via fd00:10::13 dev eth0 proto 12 metric 100", "(conflict)", "conflict",
            "ip route del fd00:192:168:2::/64 proto 12"),
        ("ip -6 route add blackhole fd00:192:168:2:8000::/65 proto 4", "(shadowed)", "shadowed",
            "ip route del fd00:192:168:2:8000::/65 proto 4"),
        ("ip route add 192.168.3.64/26 proto 4 metric 7 nexthop via 10.0.0.12 nexthop via 10.0.0.13", "(shadowed)", "shadowed",
            "ip route del 192.168.3.64/26 proto 4"),
        ("ip route add 10.0.0.12/32 via 10.0.0.1 proto 4", "(notAdjacent)", "notAdjacent", ""),
    ];

    [Fact]
    public async Task What_the_doctor_says_to_type_cures_a_node()
    {
        await StartFirstAgentAsync();
        await Agent.StopAsync();
        foreach ((string breakage, string rule, string command, string restore) in OfHost)
        {
            Type(breakage);
            Type(Printed(rule, command));
            Assert.DoesNotContain(rule, Agent.Diagnose());
            Type(restore);
        }
        Assert.Equal(["routes"], Agent.Diagnose());
        Assert.Equal("2", One.Network.Sysctl("ipv6/conf/eth0/accept_ra"));
        Assert.DoesNotContain("cni0", One.Network.Exec("ip", "-6", "route", "show", "default"), StringComparison.Ordinal);

        Agent.Settings = Agent.Settings with { NextHop = "PodGateway" };
        Type("sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.eth0.arp_ignore=1");
        Type(Printed("arpIgnore", "sysctl -w net.ipv4.conf.all.arp_ignore=0"));
        Assert.DoesNotContain("arpIgnore", Agent.Diagnose());
    }

    [Fact]
    public async Task What_the_doctor_says_to_type_ends_the_problem_in_the_status()
    {
        await StartFirstAgentAsync();
        foreach ((string breakage, string problem, string rule, string command) in OfAgent)
        {
            Type(breakage);
            await ProblemsAsync(p => p.Contains(problem, StringComparison.Ordinal), problem);
            // The reason of notAdjacent names the route that is to be corrected.
            string printed = command.Length > 0 ? Printed(rule,
                command) : $"ip route del {RouteInReason().Match(Finding(rule, "problem")).Groups[1].Value}";
            Type(printed);
            await ProblemsAsync(p => p.Length == 0, $"none after {printed}");
            Assert.Empty(Agent.Diagnose());
        }
    }

    [Fact]
    public async Task What_the_doctor_says_to_annotate_cures_a_peer()
    {
        await StartFirstAgentAsync();
        using Kubectl kubectl = new(Cluster.Api.Server, network: One.Name);
        foreach ((string annotation, string value, string rule, string command) in ((string, string, string, string)[])
        [
            ("hostgw.io/next-hop", "everywhere", "noAddress", "kubectl annotate node node2 hostgw.io/next-hop-"),
            ("hostgw.io/next-hop", "192.0.2.7", "notAdjacent", "kubectl annotate node node2 --overwrite hostgw.io/next-hop=ADDRESS"),
            ("hostgw.io/skip", "yes", "nextHop", "kubectl annotate node node2 hostgw.io/skip-"),
            ("hostgw.io/skip", "yes", "nextHop", "kubectl annotate node node2 --overwrite hostgw.io/skip=true"),
        ])
        {
            await kubectl.RunAsync($"annotate node node2 --overwrite {annotation}={value}");
            await ProblemsAsync(p => p.Contains("node2", StringComparison.Ordinal), annotation);
            string printed = Printed(rule, command).Replace("ADDRESS", "10.0.0.12", StringComparison.Ordinal);
            await kubectl.RunAsync(printed["kubectl ".Length..]);
            await ProblemsAsync(p => p.Length == 0, $"none after {printed}");
            Assert.Empty(Agent.Diagnose());
        }
    }

    // As a person copies it: up to a punctuation mark or an aside.
    private string Printed(string rule, string command)
    {
        string cure = Agent.Findings().Where(f => f.GetProperty("rule").GetString() == rule).Select(f => f.GetProperty("cure").GetString()!)
            .FirstOrDefault(c => c.Contains(command, StringComparison.Ordinal)) ?? "";
        Assert.True(cure.Length > 0, $"{rule} does not say '{command}': {string.Join('\n', Agent.Findings())}");
        string text = cure[cure.IndexOf(command, StringComparison.Ordinal)..];
        return EndOfCommand().Split(text)[0];
    }

    private string Finding(string rule, string property) =>
        Agent.Findings().First(f => f.GetProperty("rule").GetString() == rule).GetProperty(property).GetString()!;

    private void Type(string command)
    {
        if (command.StartsWith("hostgw ", StringComparison.Ordinal))
            Agent.RunWithSettings(command.Split(' ')[1], command.Split(' ')[2..]);
        else if (command.Length > 0)
            One.Network.Exec("sh", "-ec", command);
    }

    private async Task ProblemsAsync(Predicate<string> expected, string what)
    {
        string problems = "";
        await Eventually.TrueAsync(
            async () =>
            {
                JsonElement status = await Agent.StatusAsync();
                problems = string.Join('\n', status.GetProperty("problems").EnumerateArray().Select(p => p.GetString()));
                return expected(problems);
            },
            () => $"{what}: the problems are '{problems}'");
    }

    [GeneratedRegex(@"; |, | \(|\)| removes it")]
    private static partial Regex EndOfCommand();

    [GeneratedRegex(@"the route to (\S+) leads")]
    private static partial Regex RouteInReason();
}
