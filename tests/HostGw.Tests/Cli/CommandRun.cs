using HostGw.Cli;
using HostGw.FakeApi;

namespace HostGw.Tests.Cli;

/// <summary>The command line, run in this process.</summary>
internal sealed record CommandRun(int ExitCode, string Output, string Error)
{
    public static async Task<CommandRun> OfAsync(params string[] args)
    {
        using StringWriter output = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };
        int exitCode = await CommandLine.RunAsync(args, output, error);
        return new(exitCode, output.ToString().ReplaceLineEndings("\n"), error.ToString().ReplaceLineEndings("\n"));
    }
}

/// <summary>A kubeconfig with a token that must not show anywhere.</summary>
internal sealed class TemporaryKubeconfig : IDisposable
{
    public const string Token = "secret-token-of-the-test";

    public TemporaryKubeconfig(string server) => File.WriteAllText(Path, $"""
        apiVersion: v1
        kind: Config
        current-context: c
        contexts: [{"{name: c, context: {cluster: k, user: u}}"}]
        clusters: [{"{name: k, cluster: {server: \"" + server + "\", insecure-skip-tls-verify: true}}"}]
        users: [{"{name: u, user: {token: " + Token + "}}"}]
        """);

    /// <summary>It names an API server that no longer listens.</summary>
    public static async Task<TemporaryKubeconfig> OfGoneServerAsync()
    {
        await using FakeApiServer api = await FakeApiServer.StartAsync();
        return new(api.Uri.ToString());
    }

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"hostgw-{Guid.NewGuid():n}.yaml");

    public void Dispose() => File.Delete(Path);
}
