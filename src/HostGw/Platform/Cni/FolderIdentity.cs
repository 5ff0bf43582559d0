using System.Runtime.Versioning;
using HostGw.Platform.Linux.Interop;

namespace HostGw.Platform.Cni;

/// <summary>Which directory has a name at the moment: one that is removed and made anew is another.</summary>
/// <param name="Born">Its time of birth, because file systems give a number away again; 0 where the file system keeps none.</param>
internal readonly record struct FolderIdentity(ulong Number, long Born, uint BornNanoseconds)
{
    /// <summary>Null where there is none, or none that can be seen.</summary>
    public static FolderIdentity? Of(string path) =>
        OperatingSystem.IsLinux() ? OnLinux(path)
        : Directory.Exists(path) ? new(0, Directory.GetCreationTimeUtc(path).Ticks, 0)
        : null;

    [SupportedOSPlatform("linux")]
    private static unsafe FolderIdentity? OnLinux(string path)
    {
        statx status;
        return Libc.statx(Libc.AT_FDCWD, path, 0, Libc.STATX_INO | Libc.STATX_BTIME, &status) == 0
            ? new(status.stx_ino, status.stx_btime_sec, status.stx_btime_nsec)
            : null;
    }
}
