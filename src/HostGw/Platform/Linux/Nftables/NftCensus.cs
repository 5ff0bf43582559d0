using System.Runtime.Versioning;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>Looks at what others have in nf_tables, iptables-nft among them. A kernel without nf_tables has nothing.</summary>
[SupportedOSPlatform("linux")]
internal sealed class NftCensus(NetlinkSocket socket)
{
    private readonly NftDump _dump = new(socket);

    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public bool HasChain(NftFamily family, string table, string chain)
    {
        bool found = false;
        _dump.Begin(NFT_MSG_GETCHAIN, NLM_F_ACK, family);
        _dump.Only(NFTA_CHAIN_TABLE, table);
        _dump.Only(NFTA_CHAIN_NAME, chain);
        Ask("look for a chain", () => found = false, (_, _) => found = true);
        return found;
    }

    private void Ask(string what, Action restart, NetlinkMessageHandler onMessage)
    {
        try
        {
            _dump.Run(what, restart, onMessage);
        }
        catch (NetlinkException e) when (e.IsNotFound || e.Errno is Errno.EINVAL or Errno.EOPNOTSUPP or Errno.EAFNOSUPPORT)
        {
            // What is asked for is not there, or the kernel has no nf_tables.
        }
    }
}
