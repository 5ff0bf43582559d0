using System.Net.Sockets;
using HostGw.Planning;
using HostGw.Probes;
using Microsoft.Extensions.Logging.Abstractions;

namespace HostGw.Tests.Probes;

/// <summary>Whole Windows nodes' probes, datagrams included, that ask each other on this system's loopback.</summary>
public sealed class WindowsProbesTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly int _port = FreePort();
    private readonly List<ProbeLoop> _loops = [];
    private readonly SemaphoreSlim _changed = new(0);

    public void Dispose()
    {
        foreach (ProbeLoop loop in _loops)
        {
            loop.StopAsync(default).Wait();
            loop.Dispose();
        }
        _changed.Dispose();
    }

    [Fact]
    public async Task They_ask_and_answer_at_the_node_and_at_the_host_endpoint()
    {
        ProbeLoop one = await StartAsync(1, isHeld: true), two = await StartAsync(2, isHeld: true);
        await BecomesAsync(one, 2, ReachKind.Reachable);
        await BecomesAsync(two, 1, ReachKind.Reachable);
        Assert.Equal(
            (0, 0, ""), (one.Counters[ProbeResult.NotSent], one.Counters[ProbeResult.UnknownSender], one.Read().Fault));

        await two.StopAsync(TestContext.Current.CancellationToken);
        two.Dispose();
        _loops.Remove(two);
        await BecomesAsync(one, 2, ReachKind.Unreachable);
    }

    [Fact]
    public async Task Without_its_host_endpoint_a_peer_answers_at_the_node_only_and_is_unknown()
    {
        ProbeLoop one = await StartAsync(1, isHeld: true), two = await StartAsync(2, isHeld: false);
        long Echoed() => two.Counters[ProbeResult.Echoed];
        await EventuallyAsync(() => Echoed() > 0 && one.Counters[ProbeResult.Lost] >= 5, () => $"{Echoed()} echoed");
        Assert.Equal(ReachKind.Unknown, Of(one, 2));

        two.Follow(PlanOf(2), [Endpoint(2)]);
        await BecomesAsync(one, 2, ReachKind.Reachable);
    }

    private async Task<ProbeLoop> StartAsync(int number, bool isHeld)
    {
        ProbeLoop loop = new(
            new(_port, TimeSpan.FromSeconds(1)) { Tunnel = new() { Mode = TunnelMode.Auto } },
            report => new BoundProbeSockets(_port, report, TimeProvider.System, NullLogger.Instance), () => _changed.Release(),
            TimeProvider.System);
        _loops.Add(loop);
        loop.Follow(PlanOf(number), isHeld ? [Endpoint(number)] : []);
        await loop.StartAsync(TestContext.Current.CancellationToken);
        return loop;
    }

    private Task BecomesAsync(ProbeLoop loop, int peer, ReachKind kind) =>
        EventuallyAsync(() => Of(loop, peer) == kind, () => $"{Of(loop, peer)}; {string.Join(", ", loop.Counters.Datagrams)}");

    // Looked at after each change, and often enough that counters are seen, which announce none.
    private async Task EventuallyAsync(Func<bool> isSo, Func<string> seen)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!isSo())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < Patience, seen());
            await _changed.WaitAsync(TimeSpan.FromMilliseconds(100), TestContext.Current.CancellationToken);
        }
    }

    private static ReachKind Of(ProbeLoop loop, int peer) => loop.Read().Of(PodCidr(peer)).Kind;

    private static Prefix PodCidr(int number) => Prefix.Parse($"127.78.{number}.0/24");

    private static Ip Endpoint(int number) => Ip.Parse($"127.78.{number}.2");

    private static ClusterNode Node(int number) => new()
    {
        Name = $"windows-{number}",
        Uid = $"uid-{number}",
        OperatingSystem = "windows",
        PodCidrs = [PodCidr(number)],
        InternalIPs = [Ip.Parse($"127.79.0.{number}")],
    };

    private static HostState HostOf(int self) => new()
    {
        Interfaces = [new(1, "lo", IsUp: true, IsLoopback: true)],
        Addresses = [.. Node(self).InternalIPs.Select(a => new HostAddress(a, Prefix.Host(a), 1))],
    };

    private static Plan PlanOf(int self) => new()
    {
        OwnPodCidrs = [PodCidr(self)],
        NodeSources = NodeSources.Of(HostOf(self), HeldNodeAddresses.Of(HostOf(self), Node(self), new([])), []),
        Verdicts =
        [
            .. from number in (int[])[1, 2]
               let node = Node(number)
               select new Verdict(
                   node, PodCidr(number), number == self ? VerdictKind.Self : VerdictKind.Routed, "", node.InternalIPs[0]),
        ],
    };

    private static int FreePort()
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
