using System.Diagnostics;
using HostGw.FakeApi;

namespace HostGw.Lab.Tests;

/// <summary>The real kubectl, with a kubeconfig and a home of its own.</summary>
internal sealed class Kubectl : IDisposable
{
    private static readonly Lazy<string> Program = new(Find);

    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("hostgw-kubectl");

    private readonly string[] _command;

    /// <param name="network">The namespace from which the server is reached; null: this one.</param>
    public Kubectl(FakeApiServer api, KubeconfigOptions? options = null, string? network = null)
    {
        api.WriteKubeconfig(Path.Combine(_home.FullName, "kubeconfig"), options ?? new() { Token = api.Token });
        _command = [.. network is null ? [] : (string[])["ip", "netns", "exec", network], Program.Value];
    }

    /// <summary>Its standard output; anything but success fails the test with what it said.</summary>
    public async Task<string> RunAsync(string arguments, string? input = null)
    {
        (int code, string output, string error) = await TryAsync(arguments, input);
        Assert.True(code == 0, $"kubectl {arguments}: exit code {code}: {error}");
        return output;
    }

    /// <summary>What it says when it must fail.</summary>
    public async Task<string> FailAsync(string arguments)
    {
        (int code, string output, string error) = await TryAsync(arguments, null);
        Assert.True(code != 0, $"kubectl {arguments} succeeded: {output}");
        return error;
    }

    /// <summary>Arguments are separated by spaces, and that is all there is to it: quotes stay quotes.</summary>
    public Process Start(string arguments)
    {
        string own = $"--kubeconfig {_home.FullName}/kubeconfig --cache-dir {_home.FullName}/cache";
        var start = new ProcessStartInfo(_command[0], [.. _command[1..], .. $"{own} {arguments}".Split(' ')])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["HOME"] = _home.FullName;
        return Process.Start(start)!;
    }

    public void Dispose() => _home.Delete(recursive: true);

    private async Task<(int Code, string Output, string Error)> TryAsync(string arguments, string? input)
    {
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        using Process process = Start(arguments);
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        string error = await process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return (process.ExitCode, await output, error);
    }

    private static string Find()
    {
        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "HostGw.sln")))
            root = root.Parent;
        var start = new ProcessStartInfo("sh", [Path.Combine(root!.FullName, "tests", "tools", "kubectl.sh")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string path = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        return process.ExitCode == 0 && path.Length > 0
            ? path
            : throw new InvalidOperationException($"tests/tools/kubectl.sh found no kubectl: {error.Result}");
    }
}
