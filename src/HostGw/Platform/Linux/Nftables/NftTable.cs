using System.Collections.Immutable;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>A table named hostgw, desired or as read from the kernel.</summary>
/// <param name="Flags">0; 1 is dormant: the kernel skips every chain.</param>
/// <param name="Others">The number of objects of kinds that HostGw never creates.</param>
internal sealed record NftTable(
    NftFamily Family, uint Flags, int Others, ImmutableArray<NftChain> Chains, ImmutableArray<NftSet> Sets);

/// <param name="Type">"nat" or "filter"; empty if the chain has no hook.</param>
internal sealed record NftChain(string Name, string Type, uint Hook, int Priority, uint Policy, ImmutableArray<NftRule> Rules);

/// <param name="Comment">The text that nft shows. HostGw's ends with a fingerprint of the expressions.</param>
/// <param name="Expressions">The value of NFTA_RULE_EXPRESSIONS.</param>
internal sealed record NftRule(string Comment, ImmutableArray<byte> Expressions);

/// <param name="Elements">Sorted.</param>
internal sealed record NftSet(string Name, uint KeyType, uint KeyLength, uint Flags, ImmutableArray<AddressRange> Elements);

/// <summary>HostGw's tables in the kernel; at least one.</summary>
internal sealed record NatState(ImmutableArray<NftTable> Tables)
{
    public NftLayout Layout => Tables.Any(t => t.Family == NftFamily.Inet) ? NftLayout.Inet : NftLayout.PerFamily;
}

/// <summary>How the rule is spread over tables.</summary>
internal enum NftLayout
{
    /// <summary>One table for both families.</summary>
    Inet,

    /// <summary>A table per family, for kernels without NAT in inet tables.</summary>
    PerFamily,
}

/// <summary>The families of nf_tables; the values are NFPROTO_*. HostGw's tables are inet, IPv4 or IPv6.</summary>
internal enum NftFamily : byte
{
    Inet = 1,
    IPv4 = 2,
    Arp = 3,
    Netdev = 5,
    Bridge = 7,
    IPv6 = 10,
}

/// <summary>The families as nft writes them.</summary>
internal static class NftNames
{
    public static string Of(NftFamily family) => family switch
    {
        NftFamily.Inet => "inet",
        NftFamily.IPv4 => "ip",
        NftFamily.Arp => "arp",
        NftFamily.Netdev => "netdev",
        NftFamily.Bridge => "bridge",
        _ => "ip6",
    };
}
