using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Lab.Tests.Platform;

[Collection("nftables")]
[SupportedOSPlatform("linux")]
public sealed class NftablesPacketTests(NftablesNetwork network) : NftablesTest, IClassFixture<NftablesNetwork>
{
    private static readonly HashSet<Net.Ip> LocalAddresses = [Net.Ip.Parse("192.0.2.1"), Net.Ip.Parse("2001:db8::1")];

    // Without the exempt single addresses, which lie on this network.
    private static readonly NatPlan Plan = NftablesPlans.DualStack with
    {
        Exempt = NftablesPlans.Prefixes("10.244.0.0/16 224.0.0.0/4 fd00:10:244::/56 ff00::/8"),
    };

    [Theory]
    [InlineData("192.0.2.2", "192.0.2.1")]
    [InlineData("2001:db8::2", "2001:db8::1")]
    public void A_pod_reaches_the_outside_with_the_nodes_address(string outside, string expected)
    {
        using NftablesFlow before = FromPod(outside);
        Assert.Equal(PodAddress(outside), before.SourceSeen());

        Reach(Plan);
        using NftablesFlow flow = FromPod(outside);
        Assert.Equal(expected, flow.SourceSeen());
        Assert.Equal(expected, flow.SourceSeen());
    }

    [Theory]
    [InlineData("10.244.2.5")]
    [InlineData("fd00:10:244:2::5")]
    public void A_pod_reaches_another_nodes_pod_with_its_own_address(string otherPod)
    {
        Reach(Plan);
        using NftablesFlow flow = FromPod(otherPod);
        Assert.Equal(PodAddress(otherPod), flow.SourceSeen());
    }

    [Theory]
    [InlineData("192.0.2.1", "10.244.1.1")]
    [InlineData("2001:db8::1", "fd00:10:244:1::1")]
    public void What_stays_on_the_node_keeps_its_address(string own, string gateway)
    {
        Reach(Plan);
        using NftablesFlow fromPod = new(network.Pod.Run, PodAddress(own), null, own);
        Assert.Equal(PodAddress(own), fromPod.SourceSeen());
        // Only this one passes postrouting: it is what the rule's second condition is for.
        using NftablesFlow fromGateway = new(null, gateway, null, own);
        Assert.Equal(gateway, fromGateway.SourceSeen());
    }

    [Fact]
    public void The_nodes_own_traffic_is_left_alone_unless_every_source_is_masqueraded()
    {
        Reach(Plan);
        using NftablesFlow virtualAddress = new(null, "192.0.2.100", network.Outside.Run, "192.0.2.2");
        Assert.Equal("192.0.2.100", virtualAddress.SourceSeen());

        Reach(Plan with { Source = NatSource.Any, Sources = [] });
        using NftablesFlow rewritten = new(null, "192.0.2.100", network.Outside.Run, "192.0.2.2");
        Assert.Equal("192.0.2.1", rewritten.SourceSeen());
        using NftablesFlow broadcast = new(null, "192.0.2.100", network.Outside.Run, "192.0.2.255", serverAddress: "0.0.0.0");
        Assert.Equal("192.0.2.100", broadcast.SourceSeen());
    }

    [Theory]
    [InlineData("192.0.2.2", "10.244.2.5", "192.0.2.1")]
    [InlineData("2001:db8::2", "fd00:10:244:2::5", "2001:db8::1")]
    public void A_connection_that_began_without_the_rule_gets_the_nodes_address_once_it_is_deleted(
        string outside, string otherPod, string node)
    {
        // The kernel remembers other tests' connections for half a minute.
        Nat.DeleteUnmasqueraded(Plan, Plan.Sources, LocalAddresses);
        // On a real node kube-proxy or the CNI's own rules keep connection tracking on.
        Run("nft 'add table inet track; add chain inet track seen { type filter hook forward priority 0; }; " +
            "add rule inet track seen ct state new accept'");
        using NftablesFlow flow = FromPod(outside);
        using NftablesFlow exempt = FromPod(otherPod);
        using NftablesFlow local = new(network.Pod.Run, PodAddress(node), null, node);
        Assert.Equal(PodAddress(outside), flow.SourceSeen());
        Assert.Equal(PodAddress(outside), exempt.SourceSeen());
        Assert.Equal(PodAddress(outside), local.SourceSeen());

        Assert.True(Reach(Plan).StartsMasquerading);
        Assert.Equal(PodAddress(outside), flow.SourceSeen()); // for life, if nobody intervenes

        Assert.Equal(1, Nat.DeleteUnmasqueraded(Plan, Plan.Sources, LocalAddresses));
        Assert.Equal(node, flow.SourceSeen());
        Assert.Equal(PodAddress(outside), exempt.SourceSeen());
        Assert.Equal(0, Nat.DeleteUnmasqueraded(Plan, Plan.Sources, LocalAddresses));
    }

    private static string PodAddress(string sameFamily) => sameFamily.Contains(':') ? "fd00:10:244:1::5" : "10.244.1.5";

    private NftablesFlow FromPod(string to) => new(network.Pod.Run, PodAddress(to), network.Outside.Run, to);
}
