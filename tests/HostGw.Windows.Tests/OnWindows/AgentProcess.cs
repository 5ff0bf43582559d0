using System.ComponentModel;
using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace HostGw.Windows.Tests.OnWindows;

/// <summary>The hostgw.exe that ships, as an agent whose API server does not answer: it changes nothing on this machine.</summary>
[SupportedOSPlatform("windows")]
internal sealed class AgentProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly List<string> _log = [];

    private AgentProcess(string folder)
    {
        string kubeconfig = Path.Combine(folder, "kubeconfig");
        File.WriteAllText(kubeconfig,
            $"""
            apiVersion: v1
            kind: Config
            current-context: nobody
            clusters:
            - name: nobody
              cluster:
                server: https://localhost:{FreePort()}
            users:
            - name: nobody
              user:
                token: none
            contexts:
            - name: nobody
              context:
                cluster: nobody
                user: nobody
            """);
        _process = Machine.Start(
            Program,
            [
                "agent", "--node-name", Machine.Name, "--kubeconfig", kubeconfig, "--listen", $"127.0.0.1:{FreePort()}",
                "--log-format", "text", .. StateFlags(folder),
            ]);
        _output = _process.StandardOutput.ReadToEndAsync();
    }

    /// <summary>Where the published program is.</summary>
    public static string Program => Environment.GetEnvironmentVariable("VERIFY_PROGRAM")
        ?? throw new InvalidOperationException("VERIFY_PROGRAM does not name hostgw.exe");

    public int Id => _process.Id;

    /// <summary>A new directory for the state of an agent, and all else that it writes.</summary>
    public static string NewFolder() =>
        Directory.CreateDirectory(Path.Combine(Machine.Folder, "agents", Path.GetRandomFileName())).FullName;

    public static string[] StateFlags(string folder) => ["--state-directory", Path.Combine(folder, "state")];

    /// <returns>When it holds the lock, and its host, which listens for console events, has started.</returns>
    public static async Task<AgentProcess> StartAsync(string folder)
    {
        AgentProcess agent = new(folder);
        try
        {
            await agent.AwaitAsync("Cannot watch nodes");
        }
        catch
        {
            agent.Dispose();
            throw;
        }
        return agent;
    }

    /// <summary>Sends it a console event as containerd does. GenerateConsoleCtrlEvent does not know shutdown.</summary>
    /// <param name="number">0: Ctrl-C, 1: Ctrl-Break, 6: shutdown.</param>
    public unsafe void Send(int number)
    {
        nint routine = NativeLibrary.GetExport(NativeLibrary.Load("kernel32.dll"), "CtrlRoutine");
        nint thread = WindowsApi.CreateRemoteThread(_process.Handle, null, 0, routine, number, 0, null);
        if (thread == 0)
            throw new Win32Exception();
        _ = WindowsApi.CloseHandle(thread);
    }

    /// <summary>Waits for its end.</summary>
    public async Task<(int ExitCode, string Log)> EndAsync()
    {
        using CancellationTokenSource patience = new(Patience);
        while (await _process.StandardError.ReadLineAsync(patience.Token) is { } line)
            _log.Add(line);
        await _process.WaitForExitAsync(patience.Token);
        return (_process.ExitCode, string.Join('\n', _log));
    }

    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            Kill();
        _process.Dispose();
    }

    private async Task AwaitAsync(string text)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        patience.CancelAfter(Patience);
        while (_log.LastOrDefault()?.Contains(text, StringComparison.Ordinal) != true)
        {
            if (await _process.StandardError.ReadLineAsync(patience.Token) is not { } line)
                throw new InvalidOperationException($"the agent ended: {string.Join(' ', _log)} {await _output}");
            _log.Add(line);
        }
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
