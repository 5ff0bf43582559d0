using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using HostGw.Lab.Network;

namespace HostGw.Lab.Tests.Page;

/// <summary>Debian's Chromium without a window, in a network namespace, steered over its DevTools protocol through two pipes.</summary>
/// <remarks>https://chromedevtools.github.io/devtools-protocol/</remarks>
[SupportedOSPlatform("linux")]
internal sealed class Browser : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _folder;
    private readonly Process _process;
    private readonly FileStream _to, _from;
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly MemoryStream _message = new();
    private readonly Queue<JsonNode> _received = new();
    private string? _session;
    private int _lastId;

    private Browser(string folder, Process process, FileStream to, FileStream from) =>
        (_folder, _process, _to, _from) = (folder, process, to, from);

    /// <summary>What pages reported to the console or broke of their policy.</summary>
    public List<string> Complaints { get; } = [];

    public static async Task<Browser> StartAsync(NetworkNamespace network)
    {
        string folder = Directory.CreateTempSubdirectory("hostgw-browser").FullName;
        Command.Run("mkfifo", $"{folder}/to", $"{folder}/from");
        // The box is the sandbox: root in namespaces of its own has no other.
        string[] flags =
        [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--window-size=1000,900", $"--user-data-dir={folder}/profile", "--remote-debugging-pipe", "about:blank",
        ];
        var start = new ProcessStartInfo("ip",
            ["netns", "exec", network.Name, "sh", "-c", "cd \"$0\" && exec 3<to 4>from 2>errors && exec \"$@\" </dev/null >&2", folder, "chromium", .. flags]);
        start.Environment["HOME"] = folder;
        var process = Process.Start(start)!;
        // In the order in which the shell opens them: each waits for its other end.
        var to = new FileStream($"{folder}/to", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 1);
        var from = new FileStream($"{folder}/from", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1);
        var browser = new Browser(folder, process, to, from);
        await browser.AttachAsync();
        return browser;
    }

    public async Task OpenAsync(string url)
    {
        await CallAsync("Page.navigate", new() { ["url"] = url });
        await UntilAsync("document.readyState === 'complete' && location.href !== 'about:blank'");
    }

    /// <summary>What an expression of JavaScript is worth in the page; asked again where the page loads itself meanwhile.</summary>
    public async Task<JsonNode?> EvaluateAsync(string expression)
    {
        JsonNode answer;
        try
        {
            answer = await CallAsync("Runtime.evaluate", new() { ["expression"] = expression, ["returnByValue"] = true, ["awaitPromise"] = true });
        }
        catch (InvalidOperationException e) when (e.Message.Contains("Inspected target navigated or closed", StringComparison.Ordinal))
        {
            return await EvaluateAsync(expression);
        }
        return answer["exceptionDetails"] is { } failure ? throw new InvalidOperationException($"{expression}: {failure.ToJsonString()}") : answer["result"]?["value"];
    }

    public async Task<string> TextAsync(string selector) =>
        (string?)await EvaluateAsync($"document.querySelector({JsonSerializer.Serialize(selector)})?.innerText ?? ''") ?? "";

    /// <summary>Waits until an expression is true.</summary>
    public async Task UntilAsync(string expression)
    {
        string last = "";
        await Eventually.TrueAsync(
            async () => (bool?)await EvaluateAsync(expression) == true || (last = await TextAsync("body")).Length < 0,
            () => $"not so in the page: {expression}; it shows\n{last}");
    }

    public Task SetScriptsAsync(bool allowed) => CallAsync("Emulation.setScriptExecutionDisabled", new() { ["value"] = !allowed });

    public Task SetColoursAsync(string scheme) => CallAsync("Emulation.setEmulatedMedia",
        new() { ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = scheme }) });

    /// <summary>The whole page as a picture.</summary>
    /// <param name="format">png or webp.</param>
    public async Task<byte[]> ScreenshotAsync(string format)
    {
        var whole = new JsonObject { ["x"] = 0, ["y"] = 0, ["width"] = 1000, ["height"] = (int)(await EvaluateAsync("document.documentElement.scrollHeight"))!, ["scale"] = 1 };
        JsonNode answer = await CallAsync("Page.captureScreenshot", new() { ["format"] = format, ["captureBeyondViewport"] = true, ["clip"] = whole });
        return Convert.FromBase64String((string)answer["data"]!);
    }

    public async Task<JsonNode> CallAsync(string method, JsonObject parameters)
    {
        using var deadline = new CancellationTokenSource(Patience);
        int id = ++_lastId;
        var call = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters };
        if (_session is not null)
            call["sessionId"] = _session;
        await _to.WriteAsync(Encoding.UTF8.GetBytes(call.ToJsonString() + "\0"), deadline.Token);
        while (true)
        {
            JsonNode message = await ReceiveAsync(deadline.Token);
            if ((int?)message["id"] != id)
                Notice(message);
            else
                return message["error"] is { } error ? throw new InvalidOperationException($"{method}: {error.ToJsonString()}") : message["result"]!;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
        await _to.DisposeAsync();
        await _from.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task AttachAsync()
    {
        JsonNode targets = await CallAsync("Target.getTargets", []);
        string page = (string)targets["targetInfos"]!.AsArray().First(t => (string?)t!["type"] == "page")!["targetId"]!;
        _session = (string?)(await CallAsync("Target.attachToTarget", new() { ["targetId"] = page, ["flatten"] = true }))["sessionId"];
        foreach (string domain in (string[])["Page", "Runtime", "Log"])
            await CallAsync($"{domain}.enable", []);
    }

    private void Notice(JsonNode message)
    {
        if ((string?)message["method"] is "Log.entryAdded" or "Runtime.exceptionThrown" or "Runtime.consoleAPICalled")
            Complaints.Add(message["params"]!.ToJsonString());
    }

    // Messages end with a zero byte; one read may bring several.
    private async Task<JsonNode> ReceiveAsync(CancellationToken cancellationToken)
    {
        while (_received.Count == 0)
        {
            int read = await _from.ReadAsync(_buffer, cancellationToken);
            if (read == 0)
                throw new InvalidOperationException($"the browser ended: {await File.ReadAllTextAsync($"{_folder}/errors", cancellationToken)}");
            foreach (byte b in _buffer.AsSpan(0, read))
            {
                if (b != 0)
                    _message.WriteByte(b);
                else
                {
                    _received.Enqueue(JsonNode.Parse(_message.ToArray())!);
                    _message.SetLength(0);
                }
            }
        }
        return _received.Dequeue();
    }
}
