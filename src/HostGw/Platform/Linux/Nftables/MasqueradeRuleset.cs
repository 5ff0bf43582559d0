using System.Collections.Immutable;
using HostGw.Planning;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>The tables that `nft list table inet hostgw` should show for a plan. Pure.</summary>
internal static class MasqueradeRuleset
{
    public const string TableName = "hostgw";
    public const string ChainName = "postrouting";
    private const uint RTN_LOCAL = 2;
    private const uint RTN_BROADCAST = 3;

    private static readonly IpFamily V4 = new(NftFamily.IPv4, "pods4", "exempt4", TYPE_IPADDR, 4, SourceOffset: 12, DestinationOffset: 16);
    private static readonly IpFamily V6 = new(NftFamily.IPv6, "pods6", "exempt6", TYPE_IP6ADDR, 16, SourceOffset: 8, DestinationOffset: 24);

    /// <summary>The sets of pod subnets whose packets are masqueraded.</summary>
    public static bool HoldsSources(string set) => set == V4.Sources || set == V6.Sources;

    /// <summary>The sets of destinations that are exempt.</summary>
    public static bool HoldsDestinations(string set) => set == V4.Exempt || set == V6.Exempt;

    public static ImmutableArray<NftTable> Of(NatPlan plan, NftLayout layout)
    {
        IpFamily[] families = [.. plan.IPv4 ? [V4] : Array.Empty<IpFamily>(), .. plan.IPv6 ? [V6] : Array.Empty<IpFamily>()];
        return layout == NftLayout.Inet
            ? [Table(NftFamily.Inet, plan, families)]
            : [.. families.Select(f => Table(f.Family, plan, f))];
    }

    private static NftTable Table(NftFamily family, NatPlan plan, params IpFamily[] families) => new(
        family, Flags: 0, Others: 0,
        [new(ChainName, "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC, NF_ACCEPT,
            [.. families.Select(f => Rule(f, plan, isMixed: family == NftFamily.Inet))])],
        [.. families.SelectMany(f => Sets(f, plan))]);

    private static IEnumerable<NftSet> Sets(IpFamily family, NatPlan plan)
    {
        yield return Set(family, family.Exempt, plan.Exempt);
        if (plan.Source == NatSource.Pods)
            yield return Set(family, family.Sources, plan.Sources);
    }

    private static NftSet Set(IpFamily family, string name, ImmutableArray<Prefix> prefixes)
    {
        var elements = prefixes.Where(p => p.IsIPv4 == (family.Family == NftFamily.IPv4)).Select(AddressRange.Of);
        return new(name, family.KeyType, family.Length, NFT_SET_INTERVAL, [.. elements.Order()]);
    }

    private static NftRule Rule(IpFamily family, NatPlan plan, bool isMixed)
    {
        var expressions = new NftExpressions();
        if (isMixed)
            expressions.PacketIs(family.Family);
        if (plan.Source == NatSource.Pods)
            expressions.Address(family.SourceOffset, family.Length, family.Sources, isIn: true);
        expressions.Address(family.DestinationOffset, family.Length, family.Exempt, isIn: false).DestinationTypeIsNot(RTN_LOCAL);
        // Without a source match the host's own DHCP broadcasts reach the rule.
        if (plan.Source == NatSource.Any && family.Family == NftFamily.IPv4)
            expressions.DestinationTypeIsNot(RTN_BROADCAST);

        return NftRule.Of(expressions.Masquerade(plan.RandomFully));
    }

    private sealed record IpFamily(
        NftFamily Family, string Sources, string Exempt, uint KeyType, uint Length, uint SourceOffset, uint DestinationOffset);
}
