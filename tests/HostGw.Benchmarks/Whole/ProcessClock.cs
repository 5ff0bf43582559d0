using System.ComponentModel;
using System.Runtime.InteropServices;

namespace HostGw.Benchmarks.Whole;

/// <summary>The scheduler's own count of a process's time, in nanoseconds.</summary>
internal static partial class ProcessClock
{
    /// <exception cref="Win32Exception">There is no such process.</exception>
    public static TimeSpan Read(int pid)
    {
        // What clock_getcpuclockid returns: the sum of /proc/PID/task/*/schedstat, and threads that ended are not lost.
        int clock = (~pid << 3) | 2;
        if (clock_gettime(clock, out timespec time) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"clock of process {pid}");
        return TimeSpan.FromSeconds(time.tv_sec) + TimeSpan.FromTicks(time.tv_nsec / TimeSpan.NanosecondsPerTick);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int clock_gettime(int clock, out timespec time);

#pragma warning disable CS8981 // its native name
    private struct timespec
    {
        public nint tv_sec;
        public nint tv_nsec;
    }
#pragma warning restore CS8981
}
