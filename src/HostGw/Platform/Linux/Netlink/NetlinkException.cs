using System.Runtime.InteropServices;

namespace HostGw.Platform.Linux.Netlink;

/// <summary>The kernel answered a netlink request with an error.</summary>
internal sealed class NetlinkException(string request, int errno, string? explanation = null)
    : HostNetworkException(Describe(request, errno, explanation))
{
    public int Errno { get; } = errno;

    /// <summary>The kernel's own sentence, where it gave one.</summary>
    public string? Explanation { get; } = explanation;

    // Deleting an absent route is ESRCH; an absent link, rule or table is ENOENT.
    public override bool IsNotFound => Errno is Linux.Netlink.Errno.ENOENT or Linux.Netlink.Errno.ESRCH;

    // The explanation is the kernel's own sentence (extended ack), the best part of the message when there is one.
    private static string Describe(string request, int errno, string? explanation)
    {
        string reason = Marshal.GetPInvokeErrorMessage(errno);
        return explanation is null ? $"{request}: {reason}" : $"{request}: {reason} ({explanation})";
    }
}

/// <summary>The error numbers that decisions rest on (asm-generic/errno.h).</summary>
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
