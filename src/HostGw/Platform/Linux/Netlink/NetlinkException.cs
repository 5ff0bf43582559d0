using System.Runtime.InteropServices;
using System.Text;

namespace HostGw.Platform.Linux.Netlink;

/// <summary>The kernel answered a netlink request with an error.</summary>
internal sealed class NetlinkException(string request, int errno, string? explanation = null)
    : HostNetworkException(Describe(request, errno, explanation))
{
    public int Errno { get; } = errno;

    /// <summary>The kernel's own sentence, if it sent one.</summary>
    public string? Explanation { get; } = explanation;

    // Deleting an absent route is ESRCH; an absent link, rule or table is ENOENT.
    public override bool IsNotFound => Errno is Linux.Netlink.Errno.ENOENT or Linux.Netlink.Errno.ESRCH;

    private static string Describe(string request, int errno, string? explanation)
    {
        string reason = Marshal.GetPInvokeErrorMessage(errno);
        return explanation is null ? $"{request}: {reason}" : $"{request}: {reason} ({explanation})";
    }
}

/// <summary>Decodes nlmsgerr: an error number and, with NETLINK_EXT_ACK, the kernel's own sentence.</summary>
/// <remarks>https://docs.kernel.org/userspace-api/netlink/intro.html#ext-ack</remarks>
internal static class NetlinkAck
{
    private const ushort NLM_F_CAPPED = 0x100;
    private const ushort NLM_F_ACK_TLVS = 0x200;
    private const ushort NLMSGERR_ATTR_MSG = 1;
    private const int ErrorLength = 4;

    /// <param name="what">The request, in words.</param>
    /// <param name="flags">Of the message's header.</param>
    /// <param name="payload">Of NLMSG_ERROR, or of NLMSG_DONE, which may have no error number.</param>
    /// <returns>Null: success.</returns>
    public static NetlinkException? Failure(string what, ushort flags, ReadOnlySpan<byte> payload)
    {
        int error = payload.Length >= ErrorLength ? MemoryMarshal.Read<int>(payload) : 0;
        return error >= 0 ? null : new NetlinkException(what, -error, Explanation(flags, payload));
    }

    private static string? Explanation(ushort flags, ReadOnlySpan<byte> payload)
    {
        if ((flags & NLM_F_ACK_TLVS) == 0)
            return null;

        // The attributes follow the echoed request: its header alone if capped, otherwise all of it.
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

/// <summary>The error numbers that the program distinguishes (asm-generic/errno.h).</summary>
internal static class Errno
{
    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int ESRCH = 3;
    public const int EINTR = 4;
    public const int EAGAIN = 11;
    public const int EBUSY = 16;
    public const int EEXIST = 17;
    public const int EINVAL = 22;
    public const int EPROTONOSUPPORT = 93;
    public const int EOPNOTSUPP = 95;
    public const int EAFNOSUPPORT = 97;
    public const int ENOBUFS = 105;
}
