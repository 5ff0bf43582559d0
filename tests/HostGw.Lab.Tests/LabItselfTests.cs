using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>The lab without any agent: what its probes see must not be there by itself.</summary>
public sealed class LabItselfTests : LabTest
{
    // For an answer that does not come.
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan FloodInterval = TimeSpan.FromMilliseconds(5);

    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(2);

    private Node One => Cluster.Node(1);

    private Node Two => Cluster.Node(2);

    private Pod Pod => One.Pods[0];

    [Fact]
    public void Pods_reach_their_gateway_and_nothing_beyond()
    {
        Assert.NotNull(Ping.Once(Pod.Network, One.PodGateways[0], Expect.Patience));
        Assert.NotNull(Ping.Once(Pod.Network, One.PodGateways[1], Expect.Patience));
        Assert.Null(Ping.Once(Pod.Network, Two.Pods[0].Addresses[0], Soon));
        Assert.Null(Ping.Once(Pod.Network, Two.Pods[0].Addresses[1], Soon));
        Assert.Null(SourceEcho.Ask(Pod.Network, Addressing.Outside[0], Soon));
    }

    [Fact]
    public void Outside_sees_a_pod_that_nobody_masquerades_and_cannot_answer_it()
    {
        Forward(One);

        Assert.Null(SourceEcho.Ask(Pod.Network, Addressing.Outside[0], Soon));
        Assert.Null(SourceEcho.Ask(Pod.Network, Addressing.Outside[1], Soon));

        Assert.Contains(Pod.Addresses[0], Cluster.Outside.Echo.Seen);
        Assert.Contains(Pod.Addresses[1], Cluster.Outside.Echo.Seen);
    }

    [Fact]
    public void Outside_answers_a_node()
    {
        Assert.Equal(One.Addresses[0], SourceEcho.Ask(One.Network, Addressing.Outside[0], Expect.Patience));
        Assert.Equal(One.Addresses[1], SourceEcho.Ask(One.Network, Addressing.Outside[1], Expect.Patience));
    }

    [Fact]
    public async Task A_flood_counts_what_a_missing_route_loses()
    {
        Forward(One);
        Forward(Two);
        string to = $"{Two.PodCidrs[0]} via {Two.Addresses[0]}";
        One.Network.Configure([$"route add {to}"]);
        Two.Network.Configure([$"route add {One.PodCidrs[0]} via {One.Addresses[0]}"]);
        using var flood = PingFlood.Start([(Pod.Network, Two.Pods[0].Addresses[0])], FloodInterval);

        One.Network.Configure([$"route delete {to}"]);
        await SentAsync();
        One.Network.Configure([$"route add {to}"]);
        await SentAsync();

        PingFloodResult result = flood.Stop();
        Assert.InRange(result.Lost, 1, result.Sent);
        Assert.True(result.LongestGap >= 15 * FloodInterval, $"{result}");

        async Task SentAsync()
        {
            int before = flood.Sent;
            await Task.Delay(100 * FloodInterval, TestContext.Current.CancellationToken);
            await Eventually.TrueAsync(() => flood.Sent >= before + 20, () => $"{flood.Sent} are sent");
        }
    }

    [Fact]
    public void A_flood_does_not_start_where_nothing_answers() => Assert.Throws<InvalidOperationException>(
        () => PingFlood.Start([(Pod.Network, Two.Pods[0].Addresses[0])], FloodInterval, firstReply: Soon));

    private static void Forward(Node node)
    {
        node.Network.Sysctl("ipv4/ip_forward", "1");
        node.Network.Sysctl("ipv6/conf/all/forwarding", "1");
    }
}
