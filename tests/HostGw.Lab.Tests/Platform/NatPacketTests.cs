using System.Runtime.Versioning;
using HostGw.Lab.Probes;
using HostGw.Planning;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Iptables;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Lab.Tests.Platform;

/// <summary>What every way to have the masquerade rule does to packets.</summary>
[Collection("nftables")]
[SupportedOSPlatform("linux")]
public sealed class NatPacketTests(NftablesNetwork network) : IClassFixture<NftablesNetwork>
{
    private static readonly NatPlan Plan = NftablesPlans.DualStack with
    {
        Exempt = NftablesPlans.Prefixes("10.244.0.0/16 192.0.2.3/32 224.0.0.0/4 fd00:10:244::/56 2001:db8::3/128 ff00::/8"),
    };

    // Without a rule that uses it, connections are not tracked.
    private const string Track = "nft 'add table inet track; add chain inet track seen { type filter hook forward priority 0; }; " +
        "add rule inet track seen ct state new accept'";

    public static TheoryData<string> Kinds => ["nftables", "iptables-nft", "iptables-legacy"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_pods_packets_are_masqueraded_except_to_pods_and_exempt_destinations(string kind)
    {
        using NatBox box = new(kind);
        box.Reach(Plan);

        foreach (string protocol in (string[])["udp", "tcp", "icmp"])
        {
            Assert.Equal((protocol, "192.0.2.1"), (protocol, FromPod(protocol, "192.0.2.2")));
            Assert.Equal((protocol, "2001:db8::1"), (protocol, FromPod(protocol, "2001:db8::2")));
            Assert.Equal((protocol, "10.244.1.5"), (protocol, FromPod(protocol, "10.244.2.5")));
            Assert.Equal((protocol, "fd00:10:244:1::5"), (protocol, FromPod(protocol, "fd00:10:244:2::5")));
            Assert.Equal((protocol, "10.244.1.5"), (protocol, FromPod(protocol, "192.0.2.3")));
            Assert.Equal((protocol, "fd00:10:244:1::5"), (protocol, FromPod(protocol, "2001:db8::3")));
        }
        // Neither what stays on the node nor the node's own: an address of it that the interface would not choose.
        Assert.Equal("10.244.1.5", SourceSeen.By("udp", network.Pod, "10.244.1.5", null, "192.0.2.1"));
        Assert.Equal("192.0.2.100", SourceSeen.By("udp", null, "192.0.2.100", network.Outside, "192.0.2.2"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void With_any_source_the_hosts_own_packets_are_masqueraded_too_but_not_broadcasts(string kind)
    {
        using NatBox box = new(kind);
        box.Reach(Plan with { Source = NatSource.Any, Sources = [], RandomFully = false });

        Assert.Equal("192.0.2.1", SourceSeen.By("udp", null, "192.0.2.100", network.Outside, "192.0.2.2"));
        using NftablesFlow broadcast = new(null, "192.0.2.100", network.Outside.Run, "192.0.2.255", serverAddress: "0.0.0.0");
        Assert.Equal("192.0.2.100", broadcast.SourceSeen());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Without_IPv6_or_without_a_rule_packets_keep_their_address(string kind)
    {
        using NatBox box = new(kind);
        box.Reach(Plan with { IPv6 = false, Sources = [Plan.Sources[0]], Exempt = [.. Plan.Exempt.Where(p => p.IsIPv4)] });
        Assert.Equal("192.0.2.1", FromPod("udp", "192.0.2.2"));
        Assert.Equal("fd00:10:244:1::5", FromPod("udp", "2001:db8::2"));

        box.Reach(null);
        Assert.Equal("10.244.1.5", FromPod("udp", "192.0.2.2"));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_connection_that_began_without_the_rule_gets_the_nodes_address(string kind)
    {
        using NatBox box = new(kind);
        NatBox.Run(Track);
        using NftablesFlow flow = new(network.Pod.Run, "10.244.1.5", network.Outside.Run, "192.0.2.2");
        using NftablesFlow exempt = new(network.Pod.Run, "10.244.1.5", network.Outside.Run, "10.244.2.5");
        Assert.Equal("10.244.1.5", flow.SourceSeen());
        Assert.Equal("10.244.1.5", exempt.SourceSeen());

        box.Reach(Plan);
        Assert.Equal("192.0.2.1", flow.SourceSeen());
        Assert.Equal("10.244.1.5", exempt.SourceSeen());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Connections_that_could_not_be_deleted_are_deleted_later(string kind)
    {
        using NatBox box = new(kind);
        using NftablesBackend nftables = new();
        HostProgram program = new(HostProgram.Folders, TimeSpan.FromSeconds(45), TimeProvider.System);
        using LinuxNat nat = new(box.Options(kind), nftables, new(program, IptablesFlavour.Nft), new(program, IptablesFlavour.Legacy));
        NatBox.Run(Track);
        using NftablesFlow flow = new(network.Pod.Run, "10.244.1.5", network.Outside.Run, "192.0.2.2");
        Assert.Equal("10.244.1.5", flow.SourceSeen());

        Assert.NotEqual("", Reach());
        Assert.Contains("Operation not permitted", Capabilities.Without(() => Record.Exception(Delete))!.Message, StringComparison.Ordinal);
        Assert.True(nat.HasPendingDeletion);
        Assert.Equal("10.244.1.5", flow.SourceSeen());

        Assert.Equal("", Reach()); // the rule is right, and the deletion still pending
        Delete();
        Assert.False(nat.HasPendingDeletion);
        Assert.Equal("192.0.2.1", flow.SourceSeen());

        void Delete() => nat.DeleteUnmasqueraded(Plan.Sources, new HashSet<Net.Ip>());

        string Reach()
        {
            nat.BeforeRoutes(Plan, reread: true, writes: true);
            return nat.AfterRoutes(Plan, reread: true, writes: true);
        }
    }

    private string FromPod(string protocol, string to)
    {
        string pod = to.Contains(':', StringComparison.Ordinal) ? "fd00:10:244:1::5" : "10.244.1.5";
        return SourceSeen.By(protocol, network.Pod, pod, network.Outside, to);
    }
}
