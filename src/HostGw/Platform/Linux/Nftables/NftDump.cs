using System.Runtime.Versioning;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>One question to nf_tables at a time.</summary>
[SupportedOSPlatform("linux")]
internal sealed class NftDump(NetlinkSocket socket)
{
    private readonly NetlinkWriter _request = new();

    public void Begin(byte message, int flags, NftFamily family)
    {
        _request.Clear();
        _request.Begin((ushort)((NFNL_SUBSYS_NFTABLES << 8) | message), (ushort)(NLM_F_REQUEST | flags), socket.NextSequence());
        _request.Write(new NfGenMsg((byte)family));
    }

    /// <summary>Narrows the question.</summary>
    public void Only(ushort attribute, string value) => _request.Attribute(attribute, value);

    /// <param name="restart">Called before each attempt: a dump that the kernel interrupted begins anew.</param>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public void Run(string what, Action restart, NetlinkMessageHandler onMessage)
    {
        _request.End();
        try
        {
            socket.Dump(what, _request, restart, onMessage);
        }
        catch (NetlinkException e) when (!e.IsNotFound)
        {
            throw NftExplanation.Of(what, e);
        }
    }
}
