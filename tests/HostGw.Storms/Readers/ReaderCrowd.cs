using System.Diagnostics;

namespace HostGw.Storms.Readers;

/// <summary>All readers: some thousands in each of a few processes, for no process may have more connections than its limit.</summary>
internal sealed class ReaderCrowd : IDisposable
{
    // Each reader has two connections, and for a moment a third.
    private const int MostInOneProcess = 4_000;

    // Of what the API server's process may have open, for connections that come and go.
    private const int Reserve = 2_500;

    private readonly List<Process> _processes = [];

    /// <param name="count">The nodes of the readers are the first so many.</param>
    /// <param name="whole">How many keep all nodes, at most.</param>
    public ReaderCrowd(int count, int whole, IReadOnlyList<IPEndPoint> servers, string token)
    {
        Count = count;
        int processes = (count + MostInOneProcess - 1) / MostInOneProcess;
        Own = Math.Clamp(Descriptors.MostConnections - Reserve - count, 0, count);
        for (int i = 0; i < processes; i++)
        {
            (int first, int last) = (Part(count, i), Part(count, i + 1));
            int ownWhole = Math.Min(Part(whole, i + 1) - Part(whole, i), last - first);
            ReaderSettings settings = new(
                first + 1, last - first, ownWhole, Math.Max(0, Part(Own, i + 1) - Part(Own, i) - ownWhole),
                [.. servers.Select(s => $"http://{s}")], token);
            _processes.Add(Process.Start(StartInfo(settings))!);
        }

        int Part(int all, int index) => (int)((long)all * index / processes);
    }

    public int Count { get; }

    /// <summary>How many watch their own Node; the others cannot, for the API server's process may not have more connections.</summary>
    public int Own { get; }

    /// <summary>All begin at once, knowing nothing.</summary>
    public Task StartAsync() => SayAsync(ReaderProcess.Start);

    public Task StopAsync() => SayAsync(ReaderProcess.Stop);

    /// <param name="path">Of a file with the <see cref="ExpectedState"/>.</param>
    public async Task<Comparison> CompareAsync(string path)
    {
        string[] answers = await SayAsync($"{ReaderProcess.Compare} {path}");
        return answers.Select(Comparison.Parse).Aggregate((a, b) => a + b);
    }

    public void Dispose()
    {
        foreach (Process process in _processes)
        {
            process.StandardInput.Close();
            process.WaitForExit();
            process.Dispose();
        }
    }

    private Task<string[]> SayAsync(string line) => Task.WhenAll(_processes.Select(async process =>
    {
        await process.StandardInput.WriteLineAsync(line);
        await process.StandardInput.FlushAsync();
        return await process.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("a process of readers has ended");
    }));

    private static ProcessStartInfo StartInfo(ReaderSettings settings) =>
        new(Path.Combine(AppContext.BaseDirectory, "hostgw-storms"), settings.ToArguments())
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
}

/// <summary>What this process may have open: where no descriptor is left, .NET ends it with nothing but "Out of memory".</summary>
internal static class Descriptors
{
    // Files, pipes of programs, listening sockets.
    private const int Others = 500;

    public static int MostConnections => Limit - Others;

    // .NET has raised this process's own limit as far as it may.
    private static int Limit { get; } = int.Parse(
        File.ReadLines("/proc/self/limits").Single(l => l.StartsWith("Max open files", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[3],
        System.Globalization.CultureInfo.InvariantCulture);
}
