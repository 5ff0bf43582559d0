using HostGw.Tests.Architecture;

namespace HostGw.Tests.Fuzzing;

/// <summary>Ends the process when an input takes a minute: a parser that hangs cannot be ended otherwise.</summary>
internal sealed class Watchdog : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Timer _timer;

    public Watchdog(string name, byte[] input) =>
        _timer = new(_ => Environment.FailFast($"{name} hangs; input kept as {Keep("hang", input)}"), null, Patience, Timeout.InfiniteTimeSpan);

    public void Dispose() => _timer.Dispose();

    /// <summary>Writes an input to where a person finds it; to make a test of it, move it into the corpus.</summary>
    public static string Keep(string name, byte[] input)
    {
        string path = Repository.PathTo($"artifacts/fuzz/{name}.input");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, input);
        return path;
    }
}
