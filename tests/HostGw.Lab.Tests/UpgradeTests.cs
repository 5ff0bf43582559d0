using System.Text.RegularExpressions;
using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Tests.Image;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>
/// Agents of version 1 are replaced by this one and come back, as docs/upgrade.md says, each with the settings of its own chart. Only
/// `make test-upgrade` runs these, for they need version 1.
/// </summary>
public abstract class UpgradeTest : LabTest
{
    private static readonly TimeSpan FloodInterval = TimeSpan.FromMilliseconds(10);

    private protected Node One => Cluster.Node(1);

    private protected Agent First => Cluster.Agent(One);

    private protected IEnumerable<Node> Near => Cluster.Nodes.Where(node => node.Segment == Cluster.Segment);

    private protected static ClusterSettings With(int nodes, int firstOnSecondSegment) => new()
    {
        Nodes = nodes,
        WindowsNode = 0,
        FirstOnSecondSegment = firstOnSecondSegment,
        Agents = new("NodeAddress", [], []),
    };

    private protected async Task StartVersion1Async()
    {
        string program = AgentBinary.FindVersion1();
        WriteSettings("v1", Path.Combine(Path.GetDirectoryName(program)!, "hostgw.yaml"));
        WriteSettings("v2", Path.Combine(BuiltImage.Repository, "deploy/hostgw.yaml"));
        foreach (Node node in Cluster.Nodes)
        {
            // systemd sets rp_filter so.
            foreach (string name in (string[])["all", "default", "eth0", "cni0", "pod1"])
                node.Network.Sysctl($"ipv4/conf/{name}/rp_filter", "2");
            Directory.CreateDirectory(CniDirectory(node));
            UseVersion1(node);
        }
        await Cluster.StartAgentsAsync();
        foreach (Node node in Near)
            await Expect.RoutesAsync(node, Near.Where(peer => peer != node).SelectMany(Expect.ByNodeAddress));
        // They are saved once they are 10 s old.
        foreach (Agent agent in Cluster.Agents)
            await Eventually.TrueAsync(() => File.Exists($"{agent.StateDirectory}/nodes"), () => $"{agent.Node} saves no nodes");
    }

    private protected void UseVersion1(Node node) => Use(node, "v1", AgentBinary.FindVersion1());

    private protected void UseVersion2(Node node, params string[] more) => Use(node, "v2", null, more);

    /// <summary>As a rolling update does it.</summary>
    private protected async Task ReplaceAsync(Node node)
    {
        Agent agent = Cluster.Agent(node);
        await agent.StopAsync();
        await agent.StartAndWaitAsync();
    }

    private protected async Task RollAsync(params string[] settings)
    {
        foreach (Node node in Cluster.Nodes)
        {
            UseVersion2(node, settings);
            await ReplaceAsync(node);
        }
    }

    /// <summary>As docs/upgrade.md says it: what version 1 does not know is turned off first.</summary>
    private protected async Task GoBackAsync()
    {
        await RollAsync("--tunnel-mode", "off", "--probe-enabled", "false");
        foreach (Node node in Cluster.Nodes)
        {
            UseVersion1(node);
            await ReplaceAsync(node);
        }
    }

    /// <summary>All pods on the first segment, and from each to the world outside.</summary>
    private protected async Task<PingFlood> FloodAsync(params IEnumerable<(NetworkNamespace From, IPAddress To)> more)
    {
        (NetworkNamespace From, IPAddress To)[] paths =
        [
            .. from node in Near from peer in Near where peer != node
               from address in peer.Pods[0].Addresses select (node.Pods[0].Network, address),
            .. from node in Near from address in Addressing.Outside select (node.Pods[0].Network, address), .. more,
        ];
        foreach ((NetworkNamespace from, IPAddress to) in paths)
        {
            await Eventually.TrueAsync(
                () => Ping.Once(from, to, TimeSpan.FromMilliseconds(500)) is not null, () => $"{from.Name} -> {to}: no answer");
        }
        return PingFlood.Start(paths, FloodInterval);
    }

    private protected static void NothingLost(PingFlood flood)
    {
        PingFloodResult result = flood.Stop();
        Assert.True(result.Lost == 0, $"{result}");
        TestContext.Current.TestOutputHelper?.WriteLine($"{result}");
    }

    private protected static string MainTable(Node node) =>
        node.Network.Exec("sh", "-c", "ip -4 route show table main; ip -6 route show table main");

    /// <summary>All that an agent could leave on a host: routes of all tables, links with their addresses, rules, firewalls and files.</summary>
    private protected static string Left(Node node) => node.Network.Exec("sh", "-c",
        "ip -4 route show table all; ip -6 route show table all; ip -br address; ip rule; ip -6 rule; " +
        "nft list tables | sort | while read -r table; do nft -s list $table; done; iptables-legacy-save 2> /dev/null | grep -v '^#'; " +
        $"cd {CniDirectory(node)} && grep -r . . | sort; ls /run/box/state/{node.Name} | sort");

    private static string CniDirectory(Node node) => $"{Box.Directory}/cni-{node.Name}";

    private void Use(Node node, string version, string? program, params string[] more)
    {
        Agent agent = Cluster.Agent(node);
        agent.Program = program;
        agent.Settings = agent.Settings with
        {
            More =
            [
                "--config", SettingsOf(version), "--cni-config-directory", CniDirectory(node),
                "--cni-bin-directory", CniRuntime.Plugins, .. more,
            ],
        };
    }

    private static string SettingsOf(string version) => $"{Box.Directory}/{version}.yaml";

    // The chart's settings as they are by default, from its manifest.
    private static void WriteSettings(string version, string manifest) => File.WriteAllLines(
        SettingsOf(version),
        File.ReadLines(manifest).SkipWhile(line => line != "  config.yaml: |").Skip(1)
            .TakeWhile(line => line.StartsWith("    ", StringComparison.Ordinal)).Select(line => line[4..]));
}

/// <summary>On one segment, where this version needs no tunnel.</summary>
public sealed partial class UpgradeTests : UpgradeTest
{
    private protected override ClusterSettings Settings => With(nodes: 3, firstOnSecondSegment: 0);

    [Fact(Explicit = true)]
    public async Task From_version_1_and_back_nothing_is_lost_the_main_table_stays_and_nothing_is_left()
    {
        await StartVersion1Async();
        string[] before = [.. Cluster.Nodes.Select(Left)], main = [.. Cluster.Nodes.Select(MainTable)];
        using PingFlood flood = await FloodAsync();
        foreach (Node node in Cluster.Nodes)
        {
            UseVersion2(node);
            await ReplaceAsync(node);
            Assert.Equal(main, Cluster.Nodes.Select(MainTable));
        }
        await Verdicts.AllBecomeAsync(Cluster, "reachable");
        await Verdicts.NoProblemAsync(First);
        Assert.Equal(main, Cluster.Nodes.Select(MainTable));

        await GoBackAsync();
        NothingLost(flood);
        Assert.Equal(main, Cluster.Nodes.Select(MainTable));
        Assert.Equal(before, Cluster.Nodes.Select(Left));
    }

    [Fact(Explicit = true)]
    public async Task Among_agents_of_version_1_their_peers_are_unknown_and_nothing_else_is_otherwise()
    {
        await StartVersion1Async();
        using PingFlood flood = await FloodAsync();
        UseVersion2(One);
        await ReplaceAsync(One);
        foreach (Node peer in Cluster.Nodes.Skip(1))
            await Verdicts.BecomesAsync(First, peer, "unknown");
        // Five of each peer and family are needed to say more.
        await Eventually.TrueAsync(
            async () => await First.MetricAsync("hostgw_probe_datagrams_total", "result=\"lost\"") >= 20, () => "node1 sends no probes");
        foreach (Node peer in Cluster.Nodes.Skip(1))
            await Verdicts.BecomesAsync(First, peer, "unknown");
        await Verdicts.NoProblemAsync(First);
        NothingLost(flood);
    }

    [Theory(Explicit = true)]
    [InlineData("--tunnel-mode off", false)]
    [InlineData("--tunnel-mode off --probe-enabled false", true)]
    [InlineData("--nat-backend iptables", true)]
    public async Task Settings_that_are_changed_and_turned_back_lose_nothing(string settings, bool changesHost)
    {
        await StartVersion1Async();
        await RollAsync();
        await Verdicts.AllBecomeAsync(Cluster, "reachable");
        string[] before = [.. Cluster.Nodes.Select(Left)];
        using PingFlood flood = await FloodAsync();
        await RollAsync(settings.Split(' '));
        Assert.Equal(changesHost, !before.SequenceEqual(Cluster.Nodes.Select(Left)));
        await RollAsync();
        await Verdicts.AllBecomeAsync(Cluster, "reachable");
        NothingLost(flood);
        Assert.Equal(before, Cluster.Nodes.Select(node => EmptyTable().Replace(Left(node), "")));
    }

    // iptables leaves the tables and chains that every user of it has.
    [GeneratedRegex(@"table ip6? (nat|filter) \{\n(\tchain [A-Z]+ \{\n\t\ttype [^\n]+\n\t\}\n\n?)+\}\n")]
    private static partial Regex EmptyTable();
}

/// <summary>With a fourth node on another segment, which this version reaches through the tunnel and version 1 does not.</summary>
public sealed class UpgradeTunnelTests : UpgradeTest
{
    private protected override ClusterSettings Settings => With(nodes: 4, firstOnSecondSegment: 4);

    private Node Far => Cluster.Node(4);

    [Fact(Explicit = true)]
    public async Task The_tunnel_comes_when_both_ends_are_upgraded_and_goes_on_the_way_back()
    {
        await StartVersion1Async();
        string[] before = [.. Cluster.Nodes.Select(Left)];
        using PingFlood flood = await FloodAsync();
        foreach (Node node in Near)
        {
            UseVersion2(node);
            await ReplaceAsync(node);
        }
        await Verdicts.BecomesAsync(First, Far, "unknown");
        string problem = await Verdicts.ProblemAsync(First, "node node4 192.168.4.0/24 (notAdjacent)");
        TestContext.Current.TestOutputHelper?.WriteLine(problem);
        Assert.Contains(
            First.Findings(), f => f.GetProperty("rule").GetString() == "notAdjacent" && f.GetProperty("cure").GetString()!.Length > 0);

        UseVersion2(Far);
        await ReplaceAsync(Far);
        using (PingFlood far = await FloodAsync(Between(One, Far)))
            NothingLost(far);
        Assert.All(Cluster.Nodes, node => Assert.Contains("hostgw0", MainTable(node), StringComparison.Ordinal));
        await Verdicts.NoProblemAsync(First);

        await GoBackAsync();
        NothingLost(flood);
        Assert.Equal(before, Cluster.Nodes.Select(Left));
    }

    private static IEnumerable<(NetworkNamespace, IPAddress)> Between(Node one, Node other) =>
    [
        .. other.Pods[0].Addresses.Select(address => (one.Pods[0].Network, address)),
        .. one.Pods[0].Addresses.Select(address => (other.Pods[0].Network, address)),
    ];
}
