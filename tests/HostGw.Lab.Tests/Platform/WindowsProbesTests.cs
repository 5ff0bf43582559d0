using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Probes;

namespace HostGw.Lab.Tests.Platform;

/// <summary>Linux nodes and one that plays Windows probe each other: its host endpoint, and the sockets of .NET that Windows has.</summary>
[SupportedOSPlatform("linux")]
[Trait("Speed", "slow")]
public sealed class WindowsProbesTests : IDisposable
{
    private readonly ProbeNetwork _network = new(3);

    public WindowsProbesTests() => Two.PlayWindows();

    private ProbingHost One => _network[1];

    private ProbingHost Two => _network[2];

    private ProbingHost Three => _network[3];

    public void Dispose() => _network.Dispose();

    [Fact]
    public async Task On_a_healthy_network_each_is_reachable_for_the_other_and_large_datagrams_are_answered()
    {
        ProbingHost[] hosts = [One, Two, Three];
        await AllReachableAsync();
        // At the start a host may ask before another one knows it.
        long[] unknown = [.. hosts.Select(h => h.Loop.Counters[ProbeResult.UnknownSender])];
        IReadOnlyList<SizeAnswer> sizes = await One.Network.Run(
            () => SizeProbe.AskAsync([.. One.SizeQuestions(Two)], ProbingHost.Port, TestContext.Current.CancellationToken));
        Assert.All(sizes, s => Assert.Equal((true, true), (s.Short, s.Long)));
        Assert.All(hosts, h => Assert.Equal((0, 0), (h.Loop.Counters[ProbeResult.NotSent], h.Loop.Counters[ProbeResult.NotAsked])));
        Assert.Equal(unknown, hosts.Select(h => h.Loop.Counters[ProbeResult.UnknownSender]));
    }

    [Fact]
    public async Task A_network_that_drops_pod_addresses_makes_it_unknown_and_between_Linux_nodes_it_is_found()
    {
        await AllReachableAsync();
        _network.DropPodAddresses();
        await One.BecomesAsync(Three, ReachKind.PodTrafficDropped);
        await One.BecomesAsync(Two, ReachKind.Unknown);
        await Two.BecomesAsync(One, ReachKind.Unknown);
        _network.DropNothing();
        await One.BecomesAsync(Two, ReachKind.Reachable);
        await Two.BecomesAsync(One, ReachKind.Reachable);
    }

    [Fact]
    public async Task While_the_host_endpoint_is_gone_its_peers_are_unknown_because_nothing_can_be_sent()
    {
        await AllReachableAsync();
        Two.DeleteEndpoint();
        await One.BecomesAsync(Two, ReachKind.Unknown);
        await Two.CountsAsync(ProbeResult.NotSent, 1);
        await Two.BecomesAsync(One, ReachKind.Unknown);

        Two.AddEndpoint();
        Two.Time.Advance(TimeSpan.FromMinutes(1));
        await One.BecomesAsync(Two, ReachKind.Reachable);
        await Two.BecomesAsync(One, ReachKind.Reachable);
    }

    private async Task AllReachableAsync()
    {
        foreach (ProbingHost host in (ProbingHost[])[One, Two, Three])
            host.Start();
        _network.FollowAll();
        await One.BecomesAsync(Two, ReachKind.Reachable);
        await One.BecomesAsync(Three, ReachKind.Reachable);
        await Two.BecomesAsync(One, ReachKind.Reachable);
        await Two.BecomesAsync(Three, ReachKind.Reachable);
        Assert.Equal("", Two.Loop.Read().Fault);
    }
}
