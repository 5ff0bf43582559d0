using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using HostGw.Lab.Interop;
using HostGw.Lab.Network;

namespace HostGw.Lab.Agents;

/// <summary>A command of hostgw that runs on one node and serves its status. It can be stopped, killed and started again.</summary>
public abstract class RunningProgram : IDisposable
{
    private readonly NetworkNamespace? _network;
    private readonly HttpClient _http;
    private Process? _process;

    /// <param name="network">Null: it runs in this process's own.</param>
    /// <param name="name">Of its log.</param>
    /// <param name="port">Of its status endpoint.</param>
    private protected RunningProgram(NetworkNamespace? network, string node, string kubeconfig, string name, int port)
    {
        (_network, Node) = (network, node);
        _http = NamespaceHttp.In(network);
        Listen = $"127.0.0.1:{port}";
        Kubeconfig = kubeconfig;
        Log = new($"{Box.Directory}/{name}.log");
    }

    /// <summary>The name of its Node.</summary>
    public string Node { get; }

    public AgentLog Log { get; }

    /// <summary>Of its present or last life, as seen in the box.</summary>
    public int ProcessId => _process?.Id ?? throw new InvalidOperationException($"{What} was never started");

    /// <summary>Null: it is reached as in a pod, by the service account and the variables that <see cref="Wrapper"/> gives.</summary>
    public string? Kubeconfig { get; set; }

    /// <summary>Words to put before the program, which they start.</summary>
    public IReadOnlyList<string> Wrapper { get; set; } = [];

    /// <summary>Another build of it; null: <see cref="AgentBinary.Find"/>. Takes effect at the next start.</summary>
    public string? Program { get; set; }

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>What it keeps for a start without the API server.</summary>
    public string StateDirectory => $"{Box.Directory}/state/{Node}";

    private protected string Listen { get; }

    /// <summary>The command with all of its flags.</summary>
    private protected abstract IEnumerable<string> Arguments { get; }

    private protected abstract string What { get; }

    public void Start()
    {
        if (IsRunning)
            throw new InvalidOperationException($"{What} runs already");
        _process?.Dispose();
        // A process that cannot be started leaves none behind.
        _process = null;
        _process = Process.Start(StartInfo(Arguments))!;
        _process.OutputDataReceived += (_, e) => Log.Add(e.Data);
        _process.ErrorDataReceived += (_, e) => Log.Add(e.Data);
        _process.StandardInput.Close();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Stops it in its tracks, for instance.</summary>
    public void Signal(int signal) => _ = Libc.kill(ProcessId, signal);

    /// <summary>Asks it to stop and returns its exit code.</summary>
    public Task<int> StopAsync() => EndAsync(Libc.SIGTERM);

    /// <summary>Ends it without giving it a chance to say goodbye.</summary>
    public Task<int> KillAsync() => EndAsync(Libc.SIGKILL);

    /// <summary>Starts it and waits until it says it is ready.</summary>
    public async Task StartAndWaitAsync()
    {
        Start();
        await WaitReadyAsync();
    }

    /// <exception cref="TimeoutException">It did not become ready; the message has its last words.</exception>
    public Task WaitReadyAsync(TimeSpan? deadline = null) => Eventually.TrueAsync(
        async () => IsRunning ? await IsReadyAsync() : throw new InvalidOperationException(Failure("ended")),
        () => Failure("is not ready"),
        deadline);

    public Task<bool> IsReadyAsync() => IsOkAsync("/readyz");

    /// <summary>Whether it is so far that it can be asked for its status.</summary>
    public Task<bool> IsAnsweringAsync() => IsOkAsync("/healthz");

    /// <summary>What GET /status says.</summary>
    public async Task<JsonElement> StatusAsync()
    {
        using Stream body = await _http.GetStreamAsync($"http://{Listen}/status");
        return (await JsonDocument.ParseAsync(body)).RootElement;
    }

    /// <summary>What GET /metrics says.</summary>
    public Task<string> MetricsAsync() => _http.GetStringAsync($"http://{Listen}/metrics");

    /// <summary>The sum of a metric over all its labels, or over those lines that have this label.</summary>
    public async Task<double> MetricAsync(string name, string label = "")
    {
        string text = await MetricsAsync();
        return text.Split('\n')
            .Where(line => line.StartsWith(name + " ", StringComparison.Ordinal) || line.StartsWith(name + "{", StringComparison.Ordinal))
            .Where(line => line.Contains(label, StringComparison.Ordinal))
            .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }

    /// <summary>A sentence on what it did, with its last words.</summary>
    public string Failure(string what) => $"{What} {what}; its last words:\n{string.Join('\n', Log.LastWords(10))}";

    public void Dispose()
    {
        if (IsRunning)
            KillAsync().Wait();
        _process?.Dispose();
        _http.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected ProcessStartInfo StartInfo(IEnumerable<string> arguments)
    {
        string[] words =
        [
            .. _network is null ? [] : new[] { "ip", "netns", "exec", _network.Name },
            "env", $"HOSTGW_STATE_DIRECTORY={StateDirectory}", .. Wrapper, Program ?? AgentBinary.Find(), .. arguments,
        ];
        var start = new ProcessStartInfo(words[0], words[1..])
        {
            // A terminal on any of the three would make the agent set it up.
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // What is set on this machine must not reach the agents.
        foreach (string name in start.Environment.Keys.Where(key => key.StartsWith("HOSTGW_", StringComparison.Ordinal)).ToArray())
            start.Environment.Remove(name);
        return start;
    }

    private async Task<bool> IsOkAsync(string path)
    {
        try
        {
            using HttpResponseMessage answer = await _http.GetAsync($"http://{Listen}{path}");
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    // `ip netns exec` and `env` become the program they start, so this is hostgw itself.
    private async Task<int> EndAsync(int signal)
    {
        _ = Libc.kill(ProcessId, signal);
        await _process!.WaitForExitAsync();
        return _process.ExitCode;
    }
}
