using HostGw.FakeApi;
using HostGw.FakeApi.Nodes;

namespace HostGw.Windows.Tests;

/// <summary>A cluster of three Linux and two Windows nodes, of which one is here.</summary>
public abstract class WindowsNodeTest : IAsyncLifetime
{
    private protected const string Name = "windows-a";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("hostgw-windows");
    private FakeApiServer? _api;

    private protected WindowsNodeTest() => Host = new(PathTo("host.txt"));

    private protected FakeApiServer Api => _api!;

    private protected StandInHost Host { get; }

    private protected static string[] DefaultRoute { get; } = ["0.0.0.0/0 10.0.0.254 uplink 0"];

    /// <summary>What the design's section 1.1 asks for here, with the peers' addresses for next hops.</summary>
    private protected static string[] Wanted { get; } =
    [
        .. DefaultRoute, "10.244.4.0/24 on-link uplink 300",
        .. Peer("10.244.1.0/24", "10.0.0.1"), .. Peer("10.244.2.0/24", "10.0.0.2"), .. Peer("10.244.3.0/24", "10.0.0.3"), .. Peer("10.244.5.0/24", "10.0.0.5"),
    ];

    private protected Dictionary<string, string> Environment => new() { ["STANDIN_HOST"] = Wine.PathOf(PathTo("host.txt")) };

    private protected string[] StateFlags => ["--state-directory", Wine.PathOf(PathTo("state"))];

    private protected string[] Flags => ["--node-name", Name, "--kubeconfig", Wine.PathOf(PathTo("kubeconfig")), "--cluster-cidrs", "10.244.0.0/16", .. StateFlags];

    public async ValueTask InitializeAsync()
    {
        _api = await FakeApiServer.StartAsync();
        Api.WriteKubeconfig(PathTo("kubeconfig"), new() { Server = Server });
        foreach ((int number, string name, string os) in ((int, string, string)[])[(1, "linux-a", "linux"), (2, "linux-b", "linux"), (3, "linux-c", "linux"), (4, Name, "windows"), (5, "windows-b", "windows")])
            Api.Nodes.Put(Node(number, name, os));
        Host.Write(
            "interface 0018000001000000 1 up 75 - Loopback Pseudo-Interface 1", "address 0018000001000000 127.0.0.1/8",
            $"interface {StandInHost.Uplink} 7 up 25 - vEthernet (Ethernet)", $"address {StandInHost.Uplink} 10.0.0.4/24", $"route 0.0.0.0/0 10.0.0.254 {StandInHost.Uplink} 0 3",
            $"interface {StandInHost.PodEndpoint} 12 up 15 - vEthernet (cbr0)", $"address {StandInHost.PodEndpoint} 10.244.4.2/24");
    }

    public async ValueTask DisposeAsync()
    {
        await Api.DisposeAsync();
        _folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    // Under Wine a name is needed: it does not know addresses in certificates.
    private protected string Server => $"https://localhost:{Api.Uri.Port}";

    private protected string PathTo(string name) => Path.Combine(_folder.FullName, name);

    private protected static NodeSpec Node(int number, string name, string os = "linux") =>
        new(name) { PodCidrs = [$"10.244.{number}.0/24"], InternalIPs = [$"10.0.0.{number}"], OperatingSystem = os };

    private protected static string[] Peer(string podCidr, string nextHop) => [$"{podCidr} {nextHop} cbr0 250", $"{podCidr} {nextHop} uplink 300"];

    /// <summary>News is what wakes it: nothing else happens for an hour.</summary>
    private protected WindowsAgent StartAgent(params IEnumerable<string> more) => WindowsAgent.Start([.. Flags, "--resync-seconds", "3600", .. more], Environment, Host);
}
