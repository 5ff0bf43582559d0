using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Probes;

namespace HostGw.Lab.Tests.Platform;

/// <summary>The probes through a tunnel of real kernels, in both families.</summary>
[SupportedOSPlatform("linux")]
public sealed class ProbePathTests : IDisposable
{
    private readonly ProbeNetwork _network = new(2, new() { Mode = TunnelMode.Auto, NativeAfter = TimeSpan.FromSeconds(3) });

    private ProbingHost One => _network[1];

    private ProbingHost Two => _network[2];

    public void Dispose() => _network.Dispose();

    [Fact]
    public async Task Two_hosts_go_into_the_tunnel_while_the_network_drops_pod_addresses_and_back()
    {
        One.Start();
        Two.Start();
        _network.FollowAll();
        await BothAsync(PeerPath.Native, ReachKind.Reachable);

        _network.DropPodAddresses();
        await BothAsync(PeerPath.Compared, ReachKind.PodTrafficDropped);
        Install(PeerPath.Compared);
        await BothAsync(PeerPath.Tunnel, ReachKind.Reachable);
        Install(PeerPath.Tunnel);
        await Eventually.TrueAsync(
            () => One.Loop.Read().Of(Two.PodCidr).Native == ReachKind.PodTrafficDropped, () => $"{One.Loop.Read().Of(Two.PodCidr)}",
            TimeSpan.FromSeconds(60));

        // Whoever decides to leave stays in between while the other one's route leads into the tunnel.
        _network.DropNothing();
        await BothAsync(PeerPath.Compared, ReachKind.Reachable);
        Install(PeerPath.Compared);
        await BothAsync(PeerPath.Native, ReachKind.Reachable);
        // What this host could not send would say nothing.
        Assert.Equal((0, 0), (One.Loop.Counters[ProbeResult.NotSent], One.Loop.Counters[ProbeResult.UnknownSender]));
    }

    private void Install(PeerPath path)
    {
        One.Install(Two, path);
        Two.Install(One, path);
    }

    private async Task BothAsync(PeerPath path, ReachKind kind)
    {
        await One.DecidesAsync(Two, path);
        await Two.DecidesAsync(One, path);
        await One.BecomesAsync(Two, kind);
        await Two.BecomesAsync(One, kind);
    }
}
