using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using HostGw.Lab.Interop;
using HostGw.Lab.Network;

namespace HostGw.Lab.Agents;

/// <summary>The real agent in one node. It can be stopped, killed and started again, with other settings.</summary>
public sealed class Agent : IDisposable
{
    private readonly NetworkNamespace _node;
    private readonly HttpClient _http;
    private Process? _process;

    /// <param name="name">Of the agent's log, where a node has a second one.</param>
    /// <param name="port">Of its status endpoint.</param>
    internal Agent(NetworkNamespace node, string kubeconfig, AgentSettings settings, string? name = null, int port = 9157)
    {
        Listen = $"127.0.0.1:{port}";
        _node = node;
        Kubeconfig = kubeconfig;
        _http = NamespaceHttp.In(node);
        Settings = settings;
        Log = new($"{Box.Directory}/{name ?? node.Name}.log");
    }

    public string Node => _node.Name;

    private string Listen { get; }

    /// <summary>Takes effect at the next start.</summary>
    public AgentSettings Settings { get; set; }

    public AgentLog Log { get; }

    /// <summary>Of its present or last life, as seen in the box.</summary>
    public int ProcessId => _process?.Id ?? throw new InvalidOperationException($"the agent of {Node} was never started");

    /// <summary>What it keeps for a start without the API server.</summary>
    public string StateDirectory => $"{Box.Directory}/state/{Node}";

    /// <summary>Null: it is reached as in a pod, by the service account and the variables that <see cref="Wrapper"/> gives.</summary>
    public string? Kubeconfig { get; set; }

    /// <summary>Words to put before the program, which they start.</summary>
    public IReadOnlyList<string> Wrapper { get; set; } = [];

    /// <summary>Its settings, as any command takes them.</summary>
    public IEnumerable<string> Flags =>
        ["--node-name", Node, .. Kubeconfig is null ? [] : new[] { "--kubeconfig", Kubeconfig }, .. Settings.Flags];

    /// <summary>Another build of it; null: <see cref="AgentBinary.Find"/>. Takes effect at the next start.</summary>
    public string? Program { get; set; }

    public bool IsRunning => _process is { HasExited: false };

    public void Start()
    {
        if (IsRunning)
            throw new InvalidOperationException($"the agent of {Node} runs already");
        _process?.Dispose();
        string[] own = ["--listen", Listen, "--log-format", "text", "--resync-seconds", $"{Settings.ResyncSeconds}", .. Settings.AgentOnly];
        _process = Process.Start(StartInfo(["agent", .. own, .. Flags]))!;
        _process.OutputDataReceived += (_, e) => Log.Add(e.Data);
        _process.ErrorDataReceived += (_, e) => Log.Add(e.Data);
        _process.StandardInput.Close();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Stops it in its tracks, for instance.</summary>
    internal void Signal(int signal) => _ = Libc.kill(ProcessId, signal);

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
    public Task WaitReadyAsync() => Eventually.TrueAsync(
        async () => IsRunning ? await IsReadyAsync() : throw new InvalidOperationException(Failure("ended")), () => Failure("is not ready"));

    public Task<bool> IsReadyAsync() => IsOkAsync("/readyz");

    /// <summary>Whether it is so far that it can be asked for its status.</summary>
    public Task<bool> IsAnsweringAsync() => IsOkAsync("/healthz");

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

    /// <summary>Runs another command of hostgw on this node and returns its output.</summary>
    public string Run(params IEnumerable<string> arguments) => Command.Run("ip", StartInfo(arguments).ArgumentList);

    /// <summary>Runs a command that takes the settings of the agent, such as plan.</summary>
    public string RunWithSettings(string command, params IEnumerable<string> more) => Run([command, .. Flags, .. more]);

    /// <summary>The rules by which `hostgw doctor` finds something on this node, in its order.</summary>
    public IReadOnlyList<string> Diagnose(params IEnumerable<string> more) =>
        [.. Findings(more).Select(f => f.GetProperty("rule").GetString()!)];

    /// <summary>What `hostgw doctor` finds on this node: rule, problem and cure.</summary>
    public IReadOnlyList<JsonElement> Findings(params IEnumerable<string> more)
    {
        // Exit code 3 says that something was found.
        string json = Command.Run("sh", ["-c", "\"$@\" || [ $? -eq 3 ]", "sh", "ip", .. StartInfo(["doctor", "-o", "json", .. more, .. Flags]).ArgumentList]);
        return [.. JsonDocument.Parse(json).RootElement.GetProperty("findings").EnumerateArray()];
    }

    public void Dispose()
    {
        if (IsRunning)
            KillAsync().Wait();
        _process?.Dispose();
        _http.Dispose();
    }

    private ProcessStartInfo StartInfo(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo("ip", ["netns", "exec", Node, "env", $"HOSTGW_STATE_DIRECTORY={StateDirectory}", .. Wrapper, Program ?? AgentBinary.Find(), .. arguments])
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

    // `ip netns exec` becomes the program it starts, so this is the agent itself.
    private async Task<int> EndAsync(int signal)
    {
        _ = Libc.kill(ProcessId, signal);
        await _process!.WaitForExitAsync();
        return _process.ExitCode;
    }

    private string Failure(string what) =>
        $"the agent of {Node} {what}; its last words:\n{string.Join('\n', Log.LastWords(10))}";
}
