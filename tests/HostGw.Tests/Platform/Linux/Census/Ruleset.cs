using System.Collections.Immutable;
using HostGw.Planning;
using HostGw.Platform.Linux.Census;
using HostGw.Platform.Linux.Iptables;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Tests.Platform.Linux.Census;

/// <summary>Rules of iptables-save on a node whose pods are 10.244.1.0/24 behind cni0, and whose peers are behind eth0.</summary>
internal static class Ruleset
{
    private static readonly string[] Tables = ["raw", "mangle", "nat", "filter", "security"];

    public static readonly ImmutableArray<Prefix> Own = [Prefix.Parse("10.244.1.0/24")];

    /// <summary>What a census finds, rewrites before losses.</summary>
    public static string[] Findings(string saved, int peers = 1)
    {
        List<AddressRange> mentions = [];
        Walk walk = new(Chains(saved, mentions));
        walk.Follow([Traffic(peers)], mentions);
        Assert.True(walk.IsComplete);
        CensusResult found = RuleFindings.Of(walk.Hits, Own);
        return [.. found.Rewrites.Select(r => r.Rule.What), .. found.Losses.Select(l => l.Text)];
    }

    public static PodTraffic Traffic(int peers = 1) => new(
        Own,
        [.. Enumerable.Range(2, peers).Select(i => new PeerPods(new(Ip.V4(0x0AF40000u + ((uint)i << 8)), 24), new("eth0", 2)))],
        (new("cni0", 3), new("cni0", 3)));

    public static List<BaseChain> Chains(string saved, List<AddressRange> mentions)
    {
        IptablesPrograms programs = new(new HostProgram([], TimeSpan.FromSeconds(1)), IptablesFlavour.Legacy);
        List<BaseChain> chains = [];
        foreach (string name in Tables)
        {
            SavedTable table = new(name, static (_, _) => true);
            foreach (string line in saved.Split('\n'))
                table.Read(line);
            chains.AddRange(BuiltInChains.Of(new(programs, ipv4: true, name, table, mentions), table, forwardAccept: true));
        }
        return [.. chains.OrderBy(c => c.Priority)];
    }
}
