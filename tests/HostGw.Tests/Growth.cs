namespace HostGw.Tests;

/// <summary>Whether work grows with its input or with its square: true on a slow machine too, unlike a limit in seconds.</summary>
internal static class Growth
{
    private const int Times = 8;

    /// <param name="prepare">Makes the input, and returns what is done with it.</param>
    public static void IsLinear(int count, Func<int, Action> prepare)
    {
        double few = Fastest(prepare(count / Times)), many = Fastest(prepare(count));
        Assert.True(many < 3 * Times * few, $"{count / Times} took {few:F0} ms, {count} took {many:F0} ms");
    }

    // The machine may do something else meanwhile.
    private static double Fastest(Action work) => Enumerable.Range(0, 3).Min(_ =>
    {
        long start = TimeProvider.System.GetTimestamp();
        work();
        return TimeProvider.System.GetElapsedTime(start).TotalMilliseconds;
    });
}
