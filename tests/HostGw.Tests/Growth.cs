using System.Runtime.InteropServices;

namespace HostGw.Tests;

/// <summary>Whether work grows with its input or with its square: true on a slow machine too, unlike a limit in seconds.</summary>
internal static unsafe partial class Growth
{
    private const int Times = 8;
    private const int ThreadCpuTime = 3; // CLOCK_THREAD_CPUTIME_ID

    /// <param name="prepare">Makes the input, and returns what this thread does with it.</param>
    public static void IsLinear(int count, Func<int, Action> prepare)
    {
        double few = Least(prepare(count / Times)), many = Least(prepare(count));
        Assert.True(many < 3 * Times * few, $"{count / Times} took {few:F0} ms, {count} took {many:F0} ms");
    }

    // Of the processor's time: what else the machine does meanwhile is not counted.
    private static double Least(Action work) => Enumerable.Range(0, 3).Min(_ =>
    {
        double start = Milliseconds();
        work();
        return Milliseconds() - start;
    });

    private static double Milliseconds()
    {
        long* time = stackalloc long[2];
        Assert.Equal(0, ReadClock(ThreadCpuTime, time));
        return (time[0] * 1e3) + (time[1] / 1e6);
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ReadClock(int clock, long* time);
}
