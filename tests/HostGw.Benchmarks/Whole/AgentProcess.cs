using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using HostGw.Benchmarks.Figures;
using HostGw.FakeApi;
using HostGw.Lab;
using HostGw.Lab.Agents;
using HostGw.Lab.Interop;
using HostGw.Lab.Network;

namespace HostGw.Benchmarks.Whole;

/// <summary>The real agent on the machine, and what it costs there.</summary>
internal sealed class AgentProcess : IDisposable
{
    private const string Listen = "127.0.0.1:9157";

    private readonly Site _site;
    private readonly NetworkNamespace _machine;
    private readonly Process _process;
    private readonly HttpClient _http;
    private readonly AgentLog _log;

    /// <param name="flags">Besides those of all; those of the masquerade rule, unless it is in nftables, come first.</param>
    public AgentProcess(Site site, Build build, params string[] flags)
        : this(site, build, 1, flags)
    {
    }

    /// <param name="number">Of the node whose machine it runs on.</param>
    /// <param name="flags">Besides those of all; those of the masquerade rule, unless it is in nftables, come first.</param>
    public AgentProcess(Site site, Build build, int number, params string[] flags)
    {
        _site = site;
        _machine = site.Machines[number - 1];
        _http = NamespaceHttp.In(_machine);
        _log = new($"{Box.Directory}/agent-{number}.log");
        var info = new ProcessStartInfo(build.Path,
        [
            "agent", "--node-name", NodeFactory.Node(number).Name, "--kubeconfig", site.Kubeconfig, "--listen", Listen,
            "--cluster-cidrs", "10.0.0.0/8", "--log-format", "text", "--state-directory", $"{Box.Directory}/state-{number}",
            .. flags is ["--nat-backend", ..] ? [] : (string[])["--nat-backend", "nftables"], .. flags,
        ])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            // As in the image, which has no certificate authorities: .NET reads the system's even where the kubeconfig names its own.
            Environment = { ["SSL_CERT_FILE"] = "/dev/null", ["SSL_CERT_DIR"] = "/dev/null" },
        };
        (StartedAt, Started) = (DateTimeOffset.UtcNow, Stopwatch.GetTimestamp());
        _process = _machine.Run(() => Process.Start(info)!);
        _process.OutputDataReceived += (_, e) => _log.Add(e.Data);
        _process.ErrorDataReceived += (_, e) => _log.Add(e.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>The moment before it was started, as a Stopwatch timestamp.</summary>
    public long Started { get; }

    /// <summary>The same moment by the clock of the API server's request log.</summary>
    public DateTimeOffset StartedAt { get; }

    public double PssMB => MB(Read("smaps_rollup"), "Pss");

    public double ResidentMB => MB(Read("status"), "VmRSS");

    /// <summary>The most that was ever resident.</summary>
    public double PeakMB => MB(Read("status"), "VmHWM");

    /// <summary>Processor time of all its threads, also of those that have ended.</summary>
    public TimeSpan ProcessorTime => ProcessClock.Read(_process.Id);

    /// <summary>What has arrived on the machine's only interface.</summary>
    public long ReceivedBytes => ReceivedBytesOn(_machine);

    /// <inheritdoc cref="ReceivedBytes"/>
    public static long ReceivedBytesOn(NetworkNamespace machine) =>
        ProcText.ReceivedBytes(machine.Run(() => File.ReadAllText("/proc/thread-self/net/dev")), "eth0");

    public async Task<AgentMetrics> MetricsAsync() => AgentMetrics.Parse(await _http.GetStringAsync($"http://{Listen}/metrics"));

    public async Task<double> LastPassMillisecondsAsync()
    {
        using JsonDocument status = JsonDocument.Parse(await _http.GetStringAsync($"http://{Listen}/status"));
        return status.RootElement.GetProperty("passes").GetProperty("lastMilliseconds").GetDouble();
    }

    /// <summary>Waits until what the start has caused is over: no pass for a second.</summary>
    public async Task QuietAsync()
    {
        double passes = -1, before;
        do
        {
            before = passes;
            await Task.Delay(TimeSpan.FromSeconds(1));
            passes = (await MetricsAsync()).Passes;
        }
        while (passes != before);
    }

    /// <summary>Waits for something it must do.</summary>
    /// <exception cref="TimeoutException">It did not; the message has its last words.</exception>
    public async Task<T> AwaitAsync<T>(Task<T> deed, string what, TimeSpan? atMost = null)
    {
        try
        {
            return await deed.WaitAsync(atMost ?? TimeSpan.FromSeconds(20));
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"the agent at {_site.Size} nodes: no {what}; its last words:\n{string.Join('\n', _log.LastWords(10))}");
        }
    }

    /// <summary>Ends it as kubelet does.</summary>
    public void Dispose()
    {
        if (!_process.HasExited)
            _ = Libc.kill(_process.Id, Libc.SIGTERM);
        _process.WaitForExit();
        _process.Dispose();
        _http.Dispose();
    }

    private string Read(string file) => File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{_process.Id}/{file}"));

    private static double MB(string text, string label) => ProcText.KiB(text, label) * 1024 / 1e6;
}
