using System.Collections.Immutable;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Linux.Census;
using HostGw.Platform.Linux.Iptables;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Tests.Platform.Linux.Census;

/// <summary>
/// Rules of iptables-save on a node whose pods are 10.244.1.0/24 or fd00:10:244:1::/64 behind cni0, and whose peers are behind eth0.
/// </summary>
internal static class Ruleset
{
    private static readonly string[] Tables = ["raw", "mangle", "nat", "filter", "security"];

    public static readonly ImmutableArray<Prefix> Own = [Prefix.Parse("10.244.1.0/24")], OwnIPv6 = [Prefix.Parse("fd00:10:244:1::/64")];

    private static PodTraffic TrafficIPv6 => new(
        OwnIPv6,
        [new(Prefix.Parse("fd00:10:244:2::/64"), new("eth0", 2), Ip.Parse("2001:db8::2"), Ip.Parse("2001:db8::1"))],
        (new("cni0", 3), new("cni0", 3)), new("eth0", 2));

    /// <summary>By the last search on this thread.</summary>
    [field: ThreadStatic]
    public static CensusResult Found { get; private set; } = CensusResult.Empty;

    /// <summary>What that cannot decide.</summary>
    public static IReadOnlyList<RuleDoubt> Doubts => Found.Doubts;

    /// <summary>What a census finds, rewrites before losses.</summary>
    public static string[] Findings(string saved, int peers = 1, bool ipv4 = true)
    {
        List<AddressRange> mentions = [];
        Walk walk = new(Chains(saved, ipv4, mentions), new(TimeSpan.FromMinutes(1)));
        walk.Follow([ipv4 ? Traffic(peers) : TrafficIPv6], mentions);
        Assert.True(walk.IsComplete);
        CensusResult found = Found = RuleFindings.Of(walk, ipv4 ? Own : OwnIPv6);
        return [.. found.Rewrites.Select(r => r.Rule.What), .. found.Losses.Select(l => l.Text)];
    }

    public static PodTraffic Traffic(int peers = 1) => new(
        Own,
        [
            .. Enumerable.Range(2, peers).Select(i => new PeerPods(
                new(Ip.V4(0x0AF40000u + ((uint)i << 8)), 24), new("eth0", 2), Ip.V4(0xC0000200u + (uint)i), Ip.Parse("192.0.2.1"))),
        ],
        (new("cni0", 3), new("cni0", 3)), new("eth0", 2));

    public static List<BaseChain> Chains(string saved, bool ipv4, List<AddressRange> mentions)
    {
        IptablesPrograms programs = new(new HostProgram([], TimeSpan.FromSeconds(1), TimeProvider.System), IptablesFlavour.Legacy);
        List<BaseChain> chains = [];
        foreach (string name in Tables)
        {
            SavedTable table = new(name, static (_, _) => true);
            foreach (string line in saved.Split('\n'))
                table.Read(line);
            chains.AddRange(BuiltInChains.Of(new(programs, ipv4, name, table, mentions), table, forwardAccept: true));
        }
        return [.. chains.OrderBy(c => c.Priority)];
    }
}
