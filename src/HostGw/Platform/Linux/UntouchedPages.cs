using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace HostGw.Platform.Linux;

/// <summary>
/// Unmaps the program's own file pages. The kernel maps 64 KB around every one that is touched and never takes them out of
/// a process that has memory enough: after the start most of them are code that will not run again.
/// </summary>
[SupportedOSPlatform("linux")]
internal static partial class UntouchedPages
{
    private const int MADV_DONTNEED = 4;

    /// <summary>What is needed again comes back from the page cache. Does nothing where /proc cannot be read.</summary>
    /// <remarks>https://man7.org/linux/man-pages/man2/madvise.2.html</remarks>
    public static void GiveBack()
    {
        try
        {
            foreach (Mapping mapping in Mapping.Read(File.ReadLines("/proc/self/smaps")))
            {
                if (mapping.IsOnlyFile)
                    _ = madvise(mapping.Start, mapping.Length, MADV_DONTNEED);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is a courtesy to the node's other programs, and nothing rests on it.
        }
    }

    [LibraryImport("libc")]
    private static partial int madvise(nint start, nuint length, int advice);
}
