using System.Runtime.InteropServices;

namespace HostGw.Lab.Interop;

/// <summary>What .NET has no call for. See the manual page of each function.</summary>
internal static partial class Libc
{
    public const int CLONE_NEWNET = 0x40000000;
    public const int SIGKILL = 9;
    public const int SIGTERM = 15;
    public const int SIGCONT = 18;
    public const int SIGSTOP = 19;

    [LibraryImport("libc", SetLastError = true)]
    public static partial int setns(SafeHandle fd, int nstype);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int kill(int pid, int sig);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int bind(SafeHandle socket, ReadOnlySpan<byte> address, int length);

    [LibraryImport("libc")]
    public static partial uint geteuid();

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int execv(string path, string?[] argv);

    [LibraryImport("libc", SetLastError = true)]
    public static partial int prctl(int option, nint argument, in OldKernel.FilterProgram filter, nint unused, nint alsoUnused);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int setenv(string name, string value, int overwrite);
}
