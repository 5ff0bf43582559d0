namespace HostGw.Tests.Cli;

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

    public string Path { get; } = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"hostgw-{Guid.NewGuid():n}.yaml");

    public void Dispose() => File.Delete(Path);
}
