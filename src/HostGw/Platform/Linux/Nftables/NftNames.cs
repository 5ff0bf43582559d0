namespace HostGw.Platform.Linux.Nftables;

/// <summary>The families as nft writes them.</summary>
internal static class NftNames
{
    public static string Of(NftFamily family) => family switch
    {
        NftFamily.Inet => "inet",
        NftFamily.IPv4 => "ip",
        _ => "ip6",
    };
}
