using System.Collections.Immutable;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>The families of nf_tables that we use; the values are NFPROTO_*.</summary>
internal enum NftFamily : byte
{
    Inet = 1,
    IPv4 = 2,
    IPv6 = 10,
}

/// <summary>Where the rule lives.</summary>
internal enum NftLayout
{
    /// <summary>One table for both families.</summary>
    Inet,

    /// <summary>A table per family, for kernels without NAT in inet tables.</summary>
    PerFamily,
}

/// <summary>A table named hostgw, desired or as read from the kernel.</summary>
/// <param name="Flags">0; 1 is dormant: the kernel skips every chain.</param>
/// <param name="Others">How many objects of kinds that we never create it holds.</param>
internal sealed record NftTable(
    NftFamily Family, uint Flags, int Others, ImmutableArray<NftChain> Chains, ImmutableArray<NftSet> Sets);

/// <param name="Type">"nat"; empty where the chain hangs on no hook.</param>
internal sealed record NftChain(string Name, string Type, uint Hook, int Priority, uint Policy, ImmutableArray<NftRule> Rules);

/// <param name="Comment">The text that nft shows; ours ends in a fingerprint of the expressions.</param>
/// <param name="Expressions">The value of NFTA_RULE_EXPRESSIONS.</param>
internal sealed record NftRule(string Comment, ImmutableArray<byte> Expressions);

/// <param name="Elements">Sorted.</param>
internal sealed record NftSet(string Name, uint KeyType, uint KeyLength, uint Flags, ImmutableArray<AddressRange> Elements);

/// <summary>The tables of ours that stand in the kernel; at least one.</summary>
internal sealed record NatState(ImmutableArray<NftTable> Tables)
{
    public NftLayout Layout => Tables.Any(t => t.Family == NftFamily.Inet) ? NftLayout.Inet : NftLayout.PerFamily;
}
