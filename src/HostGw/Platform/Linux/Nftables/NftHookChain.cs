namespace HostGw.Platform.Linux.Nftables;

/// <summary>A chain through which packets pass that this host forwards.</summary>
internal readonly record struct NftHookChain(NftFamily Family, string Table, string Name, uint Policy);
