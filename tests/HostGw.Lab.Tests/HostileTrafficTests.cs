using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using System.Text.Json;
using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Topology;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Lab.Tests;

/// <summary>
/// Agents whose pods talk through the tunnel, and attackers around them: a pod, one with NET_RAW, a host beyond the gateway and a node of
/// another cluster on the same segment.
/// </summary>
[SupportedOSPlatform("linux")]
[Trait("Speed", "slow")]
public sealed class HostileTrafficTests : TunnelTest
{
    private const string Datagrams = "hostgw_probe_datagrams_total", Drops = "hostgw_guard_drops_total";

    private static readonly string[] Shown = ["podCidr", "verdict", "reachability", "path", "route"];

    private static readonly (string Metric, string Label)[] Steady =
        [("hostgw_netlink_writes_total", ""), ("hostgw_repairs_total", ""), ("hostgw_passes_total", "reachability")];

    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(300), Unread = TimeSpan.FromSeconds(2);

    private Witnesses _witnesses = new();
    private readonly Dictionary<Attack, int> _numbers = [];
    private readonly Dictionary<string, NftReader> _readers = [];
    private readonly List<NetlinkSocket> _sockets = [];
    private HostileTraffic _traffic = null!;

    private protected override ClusterSettings Settings => Tunnelled(3, firstOnSecondSegment: 3);

    private Node Three => Cluster.Node(3);

    [Fact]
    public async Task What_attackers_send_reaches_nobody_is_counted_and_changes_nothing_and_without_the_guards_it_arrives()
    {
        await StartAsync();
        Ledger ledger = new(Cluster, _traffic.Other);
        Attack[] toTunnel = [.. _traffic.ToTunnel(), .. _traffic.ThroughTunnel()], probes = [.. _traffic.ProbesOfPod()];
        await ChangesNothingAsync(async () =>
        {
            await AreDroppedAsync([.. toTunnel, .. probes]);
            await AreIgnoredAsync(_traffic.ProbesIgnored(ClientPorts()));
            await AmplifiesNothingAsync(ledger);
        });

        foreach (Node node in Cluster.Nodes)
            await DisarmAsync(node);
        // By which it is measured whether the routers know the pod networks, which they do not.
        One.Network.Configure([.. Three.PodCidrs.Select(c => $"route del {c.BaseAddress}")]);
        AllArrive([.. toTunnel, .. probes]);

        await TurnTunnelOffAsync();
        await ChangesNothingAsync(async () =>
        {
            long before = ledger.ToTunnel;
            Array.ForEach(toTunnel, Send);
            await Eventually.TrueAsync(
                () => ledger.ToTunnel >= before + toTunnel.Length, () => $"{ledger.ToTunnel - before} of {toTunnel.Length} came to nodes");
            await AreDroppedAsync([.. _traffic.ProbesOfPod()]);
            await AreIgnoredAsync(_traffic.ProbesIgnored(ClientPorts()));
            await AmplifiesNothingAsync(ledger);
        });
    }

    public override async ValueTask DisposeAsync()
    {
        _witnesses.Dispose();
        _sockets.ForEach(socket => socket.Dispose());
        await base.DisposeAsync();
        _traffic.Dispose();
    }

    private async Task StartAsync()
    {
        _traffic = new(Cluster, Sources);
        _traffic.Prepare();
        await Cluster.StartAgentsAsync();
        await Task.WhenAll(TunnelledAsync(One, Three), TunnelledAsync(Two, Three), TunnelledAsync(Three, One, Two));
        await Verdicts.AllBecomeAsync(Cluster, "reachable");
        foreach (Node node in Cluster.Nodes)
            HostileTraffic.LoosenTunnel(node);
        Listen();
    }

    private void Listen()
    {
        _witnesses.Dispose();
        _witnesses = new();
        foreach (Node node in Cluster.Nodes)
        {
            _witnesses.Listen(node.Network);
            _witnesses.Listen(node.Pods[0].Network);
        }
        _witnesses.Listen(Cluster.Outside.Network);
    }

    private async Task TurnTunnelOffAsync()
    {
        Listen();
        _traffic.HasTunnel = false;
        foreach (Node node in Cluster.Nodes)
            SetMode(node, "off");
        await Cluster.StartAgentsAsync();
        foreach (Node node in Cluster.Nodes)
        {
            await NoTunnelAsync(node);
            foreach (Node peer in Cluster.Nodes.Where(peer => peer != node))
            {
                bool isBeyond = node == Three || peer == Three;
                await Verdicts.BecomesAsync(Cluster.Agent(node), peer, isBeyond ? "podTrafficDropped" : "reachable");
            }
        }
    }

    private async Task ChangesNothingAsync(Func<Task> attack)
    {
        string before = await SettledAsync();
        await attack();
        Assert.Equal("", Arrived());
        Assert.Equal(before, await StateAsync());
    }

    private async Task AreDroppedAsync(Attack[] attacks)
    {
        Dictionary<(Node At, string Guard), long> drops = [];
        foreach (Attack attack in attacks)
            drops[(attack.At, attack.Counter)] = Dropped(attack);
        foreach (((Node at, string guard), long count) in drops)
        {
            double told = 0;
            await Eventually.TrueAsync(
                async () => (told = await Cluster.Agent(at).MetricAsync(Drops, $"\"{guard}\"")) == count,
                () => $"{at.Name} says {told} of {count} for {guard}");
        }
    }

    // Again until it is counted: the first one may be lost while neighbours are resolved.
    private long Dropped(Attack attack)
    {
        long before = Count(attack), now = before;
        long started = Stopwatch.GetTimestamp();
        while (now == before)
        {
            bool isOver = Stopwatch.GetElapsedTime(started) > Expect.Patience || _witnesses.Seen.Count > 0;
            Assert.False(isOver, $"{attack}: not counted. {Arrived()}");
            Send(attack);
            SpinWait.SpinUntil(() => (now = Count(attack)) > before, Again);
        }
        return now;
    }

    // One by one, but for answers: an agent reads those only while it waits for some.
    private async Task AreIgnoredAsync(IEnumerable<Attack> attacks)
    {
        foreach (IGrouping<string, Attack> group in attacks.GroupBy(a => a.Counter == "not_asked" ? a.At.Name : a.Name))
        {
            (Agent agent, string counter) = (Cluster.Agent(group.First().At), group.First().Counter);
            double before = await CountAsync(), now = before;
            long sent = 0;
            await Eventually.TrueAsync(
                async () =>
                {
                    if (sent == 0 || Stopwatch.GetElapsedTime(sent) > Unread)
                    {
                        Array.ForEach([.. group], Send);
                        sent = Stopwatch.GetTimestamp();
                    }
                    return (now = await CountAsync()) >= before + group.Count();
                },
                () => $"{now - before} of {group.Count()} are {counter} of {agent.Node}:\n{string.Join('\n', group)}");

            Task<double> CountAsync() => agent.MetricAsync(Datagrams, $"\"{counter}\"");
        }
    }

    private async Task AmplifiesNothingAsync(Ledger ledger)
    {
        (long before, long unanswered) = (ledger.Received(HostileTraffic.Ghost), ledger.Sent(HostileTraffic.Ghost));
        foreach (Attack question in _traffic.ProbesAnswered())
        {
            long answered = ledger.Received(HostileTraffic.Ghost);
            Send(question);
            await Eventually.TrueAsync(() => ledger.Received(HostileTraffic.Ghost) > answered, () => $"{question}: not answered");
        }
        long sent = ledger.Sent(HostileTraffic.Ghost), received = ledger.Received(HostileTraffic.Ghost);
        Assert.Equal(sent - unanswered, received - before);

        foreach (Attack question in _traffic.ProbesToAll())
            Send(question);
        // What comes after them at the same sockets shows that they were read.
        await AreIgnoredAsync(_traffic.ProbesAfterAll());
        Assert.True(ledger.Sent(HostileTraffic.Ghost) > sent);
        Assert.Equal(received, ledger.Received(HostileTraffic.Ghost));
        Assert.True(ledger.Sent(HostileTraffic.Stranger) > 0);
        Assert.Equal(0, ledger.Received([.. HostileTraffic.Stranger, .. Addressing.Outside, .. One.Pods[0].Addresses]));
    }

    // The kernel's links and routes stay, and nobody guards them.
    private async Task DisarmAsync(Node node)
    {
        await Cluster.Agent(node).StopAsync();
        node.Network.Exec("nft", "delete table inet hostgw-guard");
        node.Network.Exec("bridge", "vni", "add", "dev", "hostgw0", "vni", $"{HostileTraffic.OtherVni}");
        _witnesses.Listen(node.Network, HostileTraffic.ProbePort);
    }

    private void AllArrive(Attack[] attacks)
    {
        Attack[] missing = attacks;
        for (long started = Stopwatch.GetTimestamp(); missing.Length > 0 && Stopwatch.GetElapsedTime(started) < Expect.Patience;)
        {
            foreach (Attack attack in missing)
                Send(attack);
            SpinWait.SpinUntil(() => missing.All(HasArrived), Again);
            missing = [.. missing.Where(a => !HasArrived(a))];
        }
        Assert.Equal("", string.Join('\n', missing.AsEnumerable()));

        bool HasArrived(Attack attack) => _numbers.TryGetValue(attack, out int number) && _witnesses.Seen.ContainsKey(number);
    }

    private void Send(Attack attack)
    {
        if (!_numbers.TryGetValue(attack, out int number))
            _numbers.Add(attack, number = _numbers.Count);
        attack.Send(Witnesses.Mark(number));
    }

    private string Arrived() => string.Join('\n', _numbers.Where(n => _witnesses.Seen.ContainsKey(n.Value))
        .Select(n => $"{n.Key} arrived at {_witnesses.Seen[n.Value]}"));

    private long Count(Attack attack)
    {
        if (!_readers.TryGetValue(attack.At.Name, out NftReader? reader))
        {
            NetlinkSocket socket = attack.At.Network.Run(() => new NetlinkSocket(NfTables.NETLINK_NETFILTER));
            _sockets.Add(socket);
            _readers.Add(attack.At.Name, reader = new(socket, GuardRuleset.TableName, NftAdvice.Guards));
        }
        return reader.ReadCounters(NftFamily.Inet)[attack.Counter];
    }

    // The family and number of each port on which the agent of node 1 waits for answers.
    private (int, int)[] ClientPorts() =>
    [
        .. from line in One.Network.Exec("ss", "-Hluanp").Split('\n')
           where line.Contains("hostgw", StringComparison.Ordinal)
           let local = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3]
           let port = int.Parse(local[(local.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture)
           where port != HostileTraffic.ProbePort
           select (local.StartsWith("0.0.0.0:", StringComparison.Ordinal) ? 0 : 1, port),
    ];

    // The same before and after some rounds of probes: that of the ghost, which nobody answers, is the last to be known.
    private async Task<string> SettledAsync()
    {
        const int SomeRounds = 24;
        (string before, string now) = ("", await StateAsync());
        while (before != now)
        {
            foreach (Agent agent in Cluster.Agents)
            {
                double answered = await AnsweredAsync(agent);
                await Eventually.TrueAsync(
                    async () => await AnsweredAsync(agent) >= answered + SomeRounds, () => $"{agent.Node} probes nobody");
            }
            (before, now) = (now, await StateAsync());
        }
        return now;

        static Task<double> AnsweredAsync(Agent agent) => agent.MetricAsync(Datagrams, "\"answered\"");
    }

    /// <summary>All that an attacker could want to change, now and since the start.</summary>
    private async Task<string> StateAsync()
    {
        List<string> lines = [];
        foreach (Node node in Cluster.Nodes)
        {
            Agent agent = Cluster.Agent(node);
            JsonElement status = await agent.StatusAsync();
            lines.AddRange(
                from peer in status.GetProperty("nodes").EnumerateArray()
                from podCidr in peer.GetProperty("podCidrs").EnumerateArray()
                select $"{node.Name}: {string.Join(' ', Shown.Select(name => podCidr.GetProperty(name)))}");
            lines.AddRange(Expect.Ours(node).Select(route => $"{node.Name}: {route}"));
            foreach ((string metric, string label) in Steady)
                lines.Add($"{node.Name}: {metric} {label} {await agent.MetricAsync(metric, label)}");
            lines.Add($"{node.Name}: {status.GetProperty("problems")} {string.Join('\n', agent.Log.Lines)}");
        }
        return string.Join('\n', lines);
    }
}

/// <summary>Counts the bytes of probes that attackers send, and of answers that nodes send to them.</summary>
internal sealed class Ledger
{
    private readonly NetworkNamespace[] _senders, _nodes;

    public Ledger(Cluster cluster, NetworkNamespace other)
    {
        _senders = [other, cluster.Outside.Network, cluster.Node(1).Pods[0].Network];
        _nodes = [.. cluster.Nodes.Select(n => n.Network)];
        IPAddress[] askers =
            [.. HostileTraffic.Stranger, .. HostileTraffic.Ghost, .. Addressing.Outside, .. cluster.Node(1).Pods[0].Addresses];
        foreach (NetworkNamespace sender in _senders)
            Count(sender, "output", "saddr", "dport", askers);
        foreach (NetworkNamespace node in _nodes)
            Count(node, "postrouting", "daddr", "sport", askers);
    }

    /// <summary>How many datagrams to the tunnel's port have come to nodes.</summary>
    public long ToTunnel => Counters(_nodes, "tunnel", "packets");

    public long Sent(IEnumerable<IPAddress> askers) => Sum(_senders, askers);

    public long Received(IEnumerable<IPAddress> askers) => Sum(_nodes, askers);

    private static void Count(NetworkNamespace place, string hook, string side, string port, IPAddress[] askers) => place.Exec(
        "nft", "table inet ledger { counter tunnel { }; " + string.Concat(askers.Select(a => $"counter {Name(a)} {{ }}; ")) +
        "chain arrives { type filter hook prerouting priority -500; udp dport 4790 counter name tunnel; }; " +
        $"chain asks {{ type filter hook {hook} priority 500; " + string.Concat(askers.Select(a =>
            $"{(a.IsV6() ? "ip6" : "ip")} {side} {a} udp {port} {HostileTraffic.ProbePort} counter name {Name(a)}; ")) + "}; }");

    private static long Sum(NetworkNamespace[] places, IEnumerable<IPAddress> askers) =>
        askers.Sum(asker => Counters(places, Name(asker), "bytes"));

    private static long Counters(NetworkNamespace[] places, string name, string unit) => (
        from place in places
        from item in JsonDocument.Parse(place.Exec("nft", "-j", $"list counter inet ledger {name}"))
            .RootElement.GetProperty("nftables").EnumerateArray()
        where item.TryGetProperty("counter", out _)
        select item.GetProperty("counter").GetProperty(unit).GetInt64()).Sum();

    private static string Name(IPAddress asker) => $"a{Convert.ToHexString(asker.GetAddressBytes())}";
}
