using System.Runtime.Versioning;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>Deletes entries of the kernel's connection tracking: the next packet of each begins it anew, through the rules.</summary>
[SupportedOSPlatform("linux")]
internal sealed class Conntrack(NetlinkSocket socket)
{
    private const int NFNL_SUBSYS_CTNETLINK = 1;
    private const byte IPCTNL_MSG_CT_GET = 1;
    private const byte IPCTNL_MSG_CT_DELETE = 2;
    private const byte AF_INET = 2;
    private const byte AF_INET6 = 10;

    // 10 MB of deletions at a time. A host with more such flows than all rounds take keeps the rest until they end.
    private const int PerRound = 65_536;
    private const int Rounds = 16;

    /// <returns>How many were deleted.</returns>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public int Forget(UnmasqueradedFlows flows) => Forget(AF_INET, flows) + Forget(AF_INET6, flows);

    private int Forget(byte family, UnmasqueradedFlows flows)
    {
        int deleted = 0;
        for (int round = 0; round < Rounds; round++)
        {
            NetlinkWriter deletions = Deletions(family, flows);
            deleted += Execute(deletions);
            if (deletions.Count < PerRound)
                break;
        }
        return deleted;
    }

    private NetlinkWriter Deletions(byte family, UnmasqueradedFlows flows)
    {
        var request = new NetlinkWriter();
        var deletions = new NetlinkWriter();
        Begin(request, IPCTNL_MSG_CT_GET, NLM_F_DUMP, family);
        request.End();
        try
        {
            socket.Dump("list tracked connections", request, deletions.Clear, (_, payload) =>
            {
                var entry = new ConntrackEntry(payload);
                if (deletions.Count == PerRound || !flows.Contains(entry))
                    return;
                Begin(deletions, IPCTNL_MSG_CT_DELETE, NLM_F_ACK, family);
                entry.WriteKey(deletions);
                deletions.End();
            });
        }
        catch (NetlinkException e) when (e.Errno is Errno.EINVAL or Errno.EOPNOTSUPP)
        {
            // No connection tracking in this kernel: no flow has kept a wrong address.
        }
        return deletions;
    }

    private int Execute(NetlinkWriter deletions)
    {
        int deleted = deletions.Count;
        NetlinkException? first = null;
        socket.Execute("delete a tracked connection", deletions, (_, failure) =>
        {
            deleted--;
            if (!failure.IsNotFound) // it may have ended by itself
                first ??= failure;
        });
        return first is null ? deleted : throw first;
    }

    private void Begin(NetlinkWriter writer, byte message, int flags, byte family)
    {
        writer.Begin((ushort)((NFNL_SUBSYS_CTNETLINK << 8) | message), (ushort)(NLM_F_REQUEST | flags), socket.NextSequence());
        writer.Write(new NfGenMsg(family));
    }
}
