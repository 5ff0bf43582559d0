using System.Diagnostics;

namespace HostGw.Lab;

/// <summary>Waiting for what should come soon, with a deadline that only a defect reaches.</summary>
public static class Eventually
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);

    /// <summary>Returns how long it took.</summary>
    /// <exception cref="TimeoutException">It did not come true; the message says what was seen instead.</exception>
    public static async Task<TimeSpan> TrueAsync(Func<Task<bool>> condition, Func<string> seen, TimeSpan? deadline = null)
    {
        long started = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            if (Stopwatch.GetElapsedTime(started) > (deadline ?? Deadline))
                throw new TimeoutException(seen());
            await Task.Delay(Pause);
        }
        return Stopwatch.GetElapsedTime(started);
    }

    /// <inheritdoc cref="TrueAsync(Func{Task{bool}}, Func{string}, TimeSpan?)"/>
    public static Task<TimeSpan> TrueAsync(Func<bool> condition, Func<string> seen, TimeSpan? deadline = null) =>
        TrueAsync(() => Task.FromResult(condition()), seen, deadline);
}
