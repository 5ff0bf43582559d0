using System.Runtime.InteropServices;
using System.Text;

namespace HostGw.Platform.Linux.Netlink;

/// <summary>Reads nlmsgerr: an error number and, with NETLINK_EXT_ACK, the kernel's own sentence.</summary>
/// <remarks>https://docs.kernel.org/userspace-api/netlink/intro.html#ext-ack</remarks>
internal static class NetlinkAck
{
    private const ushort NLM_F_CAPPED = 0x100;
    private const ushort NLM_F_ACK_TLVS = 0x200;
    private const ushort NLMSGERR_ATTR_MSG = 1;
    private const int ErrorLength = 4;

    /// <summary>Null where the message says success.</summary>
    public static NetlinkException? Failure(string what, ushort flags, ReadOnlySpan<byte> payload)
    {
        // A dump's NLMSG_DONE may carry no number at all.
        int error = payload.Length >= ErrorLength ? MemoryMarshal.Read<int>(payload) : 0;
        return error >= 0 ? null : new NetlinkException(what, -error, Explanation(flags, payload));
    }

    private static string? Explanation(ushort flags, ReadOnlySpan<byte> payload)
    {
        if ((flags & NLM_F_ACK_TLVS) == 0)
            return null;

        // The attributes follow the echoed request: its header alone when capped, else all of it.
        int echoed = ErrorLength + NetlinkWriter.HeaderLength;
        if ((flags & NLM_F_CAPPED) == 0 && payload.Length >= echoed)
            echoed = ErrorLength + (int)((MemoryMarshal.Read<uint>(payload[ErrorLength..]) + 3) & ~3u);
        if (echoed < 0 || echoed > payload.Length)
            return null;

        var attributes = new NetlinkAttributes(payload[echoed..]);
        while (attributes.Next())
        {
            if (attributes.Type == NLMSGERR_ATTR_MSG)
                return Encoding.UTF8.GetString(attributes.Value).TrimEnd('\0');
        }
        return null;
    }
}
