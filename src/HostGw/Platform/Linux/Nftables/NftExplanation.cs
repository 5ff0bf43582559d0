using HostGw.Platform.Linux.Netlink;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>Adds to the kernel's refusal what an operator can do about it.</summary>
internal static class NftExplanation
{
    private const string NoCapability = "this needs the capability NET_ADMIN; or set nat.backend: none";

    private const string NoNat =
        "the kernel lacks nf_tables NAT: it needs CONFIG_NF_TABLES, CONFIG_NFT_NAT, CONFIG_NFT_MASQ and CONFIG_NFT_FIB_INET " +
        "(modules nf_tables, nft_chain_nat, nft_masq, nft_fib_inet); or set nat.backend: iptables, or none";

    /// <summary>True where the kernel says that it does not know a family, a chain type or an expression.</summary>
    public static bool IsUnsupported(NetlinkException failure) =>
        failure.Errno is Errno.EOPNOTSUPP or Errno.ENOENT or Errno.EAFNOSUPPORT or Errno.EPROTONOSUPPORT;

    public static NetlinkException Of(string what, NetlinkException failure)
    {
        string? advice = failure.Errno switch
        {
            Errno.EPERM => NoCapability,
            // nfnetlink answers EINVAL to a subsystem that it does not have.
            Errno.EOPNOTSUPP or Errno.EAFNOSUPPORT or Errno.EPROTONOSUPPORT or Errno.EINVAL => NoNat,
            _ => null,
        };
        string?[] reasons = [failure.Explanation, advice];
        return new(what, failure.Errno, string.Join("; ", reasons.OfType<string>()) is { Length: > 0 } all ? all : null);
    }

    /// <summary>The same for a table that is made from nothing: nothing of ours can be missing, so what is not found is the kernel's.</summary>
    public static NetlinkException OfRebuild(string what, NetlinkException failure) =>
        failure.Errno == Errno.ENOENT ? new(what, failure.Errno, NoNat) : Of(what, failure);
}
