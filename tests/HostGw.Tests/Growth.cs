using System.Runtime.InteropServices;

namespace HostGw.Tests;

/// <summary>Whether work grows with its input or with its square: true on a slow machine too, unlike a limit in seconds.</summary>
internal static unsafe partial class Growth
{
    private const int Times = 8;
    private const int FewestRounds = 5, Rounds = 20;
    private const int ThreadCpuTime = 3; // CLOCK_THREAD_CPUTIME_ID

    /// <remarks>
    /// The square is 64 times as much in each round. A disturbance (another program's use of the caches, a slower clock) makes few of
    /// them larger: what both take at least in so many rounds is compared. In the first ones code is still being compiled.
    /// </remarks>
    /// <param name="prepare">Makes the input, and returns what this thread does with it.</param>
    public static void IsLinear(int count, Func<int, Action> prepare)
    {
        Action few = prepare(count / Times), many = prepare(count);
        double ofFew = double.MaxValue, ofMany = double.MaxValue;
        for (int round = 1; round <= Rounds; round++)
        {
            ofFew = Math.Min(ofFew, Milliseconds(few));
            ofMany = Math.Min(ofMany, Milliseconds(many));
            if (round >= FewestRounds && ofMany < 3 * Times * ofFew)
                return;
        }
        Assert.Fail($"{count / Times} took {ofFew:F0} ms, {count} took {ofMany:F0} ms");
    }

    // Of the processor's time: what else the machine does meanwhile is not counted.
    private static double Milliseconds(Action work)
    {
        double start = Now();
        work();
        return Now() - start;
    }

    private static double Now()
    {
        long* time = stackalloc long[2];
        Assert.Equal(0, ReadClock(ThreadCpuTime, time));
        return (time[0] * 1e3) + (time[1] / 1e6);
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ReadClock(int clock, long* time);
}
