using System.Diagnostics;
using System.Globalization;
using HostGw.Lab;
using HostGw.Lab.Agents;
using HostGw.Lab.Interop;

namespace HostGw.Storms;

/// <summary>The real `hostgw digest`, in this process's network namespace. It can be stopped, frozen and started again.</summary>
/// <param name="program">The published hostgw.</param>
/// <param name="server">As this network namespace reaches it.</param>
/// <param name="node">The name of a Node, by which it reads the store's resourceVersion.</param>
internal sealed class DigestProcess(string program, string kubeconfig, Uri server, string node) : IDisposable
{
    private const string Listen = "127.0.0.1:9159";

    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };
    private Process? _process;

    public AgentLog Log { get; } = new($"{Box.Directory}/digest.log");

    public int ProcessId => _process?.Id ?? throw new InvalidOperationException("the digest was never started");

    /// <summary>Returns at once.</summary>
    public void Start()
    {
        _process?.Dispose();
        _process = Process.Start(new ProcessStartInfo(program,
        [
            "digest", "--node-name", node, "--kubeconfig", kubeconfig, "--api-server", server.ToString(), "--digest-listen", Listen,
            "--log-format", "text",
        ])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            // As in the image, which has no certificate authorities.
            Environment = { ["SSL_CERT_FILE"] = "/dev/null", ["SSL_CERT_DIR"] = "/dev/null" },
        })!;
        _process.OutputDataReceived += (_, e) => Log.Add(e.Data);
        _process.ErrorDataReceived += (_, e) => Log.Add(e.Data);
        _process.StandardInput.Close();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Waits until all shards are written.</summary>
    /// <exception cref="TimeoutException">They are not; the message has its last words.</exception>
    public Task WaitReadyAsync(TimeSpan deadline) => Eventually.TrueAsync(IsReadyAsync, () => Failure("is not ready"), deadline);

    public Task<string> MetricsAsync() => _http.GetStringAsync($"http://{Listen}/metrics");

    /// <summary>Stops it in its tracks, for instance.</summary>
    public void Signal(int signal) => _ = Libc.kill(ProcessId, signal);

    public void Stop()
    {
        if (_process is not { HasExited: false } running)
            return;
        Signal(Libc.SIGCONT);
        Signal(Libc.SIGTERM);
        running.WaitForExit();
    }

    public void Dispose()
    {
        Stop();
        _process?.Dispose();
        _http.Dispose();
    }

    public string Failure(string what) =>
        string.Create(CultureInfo.InvariantCulture, $"the digest {what}; its last words:\n{string.Join('\n', Log.LastWords(10))}");

    private async Task<bool> IsReadyAsync()
    {
        if (_process is { HasExited: true })
            throw new InvalidOperationException(Failure($"ended with {_process.ExitCode}"));
        try
        {
            using HttpResponseMessage answer = await _http.GetAsync($"http://{Listen}/readyz");
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }
}
