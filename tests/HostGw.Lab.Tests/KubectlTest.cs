using System.Text.RegularExpressions;
using HostGw.FakeApi;

namespace HostGw.Lab.Tests;

/// <summary>A server with two nodes and the real kubectl: the server is good enough when kubectl cannot tell.</summary>
public abstract partial class KubectlTest : IAsyncLifetime
{
    internal FakeApiServer Api { get; private set; } = null!;

    internal Kubectl Kubectl { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Api = await FakeApiServer.StartAsync();
        Kubectl = new Kubectl(Api);
        Api.Nodes.Put(new NodeSpec("node-a") { PodCidrs = ["10.1.0.0/24"], InternalIPs = ["192.0.2.1", "2001:db8::1"] });
        Api.Nodes.Put(new NodeSpec("node-b") { OperatingSystem = "windows", ExternalIPs = ["198.51.100.2"], Ready = false });
    }

    public async ValueTask DisposeAsync()
    {
        Kubectl.Dispose();
        await Api.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    internal static string[] Lines(string text) => [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Narrow)];

    internal static string Narrow(string line) => Spaces().Replace(line, " ").Trim();

    [GeneratedRegex(" +")]
    private static partial Regex Spaces();
}
