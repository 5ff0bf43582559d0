using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace HostGw.Windows.Tests;

/// <summary>The real agent in a Windows process, until it is told to stop.</summary>
internal sealed partial class WindowsAgent : IAsyncDisposable
{
    private const int SIGINT = 2;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StandInHost _host;
    private readonly string _log = Path.GetTempFileName();

    private WindowsAgent(IEnumerable<string> flags, IReadOnlyDictionary<string, string> environment, StandInHost host)
    {
        _host = host;
        _process = Wine.Start("hostgw.exe", ["agent", "--listen", $"127.0.0.1:{FreePort()}", .. flags], environment, _log, _log);
    }

    public string Log => File.ReadAllText(_log);

    /// <param name="isFirst">It is the one whose host others may change.</param>
    public static WindowsAgent Start(IEnumerable<string> flags, Dictionary<string, string> environment, StandInHost host, bool isFirst = true)
    {
        if (isFirst)
            environment["STANDIN_PORT"] = $"{host.Port = FreePort()}";
        return new(flags, environment, host);
    }

    /// <summary>Waits for what should come soon; only a defect reaches the deadline.</summary>
    public async Task EventuallyAsync(Func<bool> condition, Func<string> seen)
    {
        long started = Stopwatch.GetTimestamp();
        while (!Holds(condition))
        {
            if (_process.HasExited)
                Assert.Fail($"the agent ended:\n{Log}");
            if (Stopwatch.GetElapsedTime(started) > Patience)
                Assert.Fail($"{seen()}\n{Log}");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    public Task EventuallyRoutesAsync(params IEnumerable<string> expected)
    {
        string[] wanted = [.. expected.Order(StringComparer.Ordinal)];
        return EventuallyAsync(() => wanted.SequenceEqual(_host.Routes()), () => $"wanted:\n{string.Join('\n', wanted)}\nseen:\n{string.Join('\n', _host.Routes())}");
    }

    public Task EventuallyLogsAsync(string text) => EventuallyAsync(() => Log.Contains(text, StringComparison.Ordinal), () => $"no '{text}' in the log");

    /// <summary>Ctrl-C, as Windows programs see it; returns the exit code.</summary>
    public async Task<int> StopAsync()
    {
        if (!_process.HasExited)
            Assert.Equal(0, kill(_process.Id, SIGINT));
        return await EndAsync();
    }

    /// <summary>Waits for the end that somebody else brought about; returns the exit code.</summary>
    public async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience);
        _host.Port = 0;
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _host.Port = 0;
        _process.Dispose();
        File.Delete(_log);
    }

    // The stand-in's port opens a moment after the process began.
    private static bool Holds(Func<bool> condition)
    {
        try
        {
            return condition();
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [LibraryImport("libc")]
    private static partial int kill(int pid, int signal);
}
