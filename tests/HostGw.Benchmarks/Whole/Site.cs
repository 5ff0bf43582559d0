using System.Diagnostics;
using System.Net.Sockets;
using HostGw.FakeApi;
using HostGw.Lab;
using HostGw.Lab.Network;
using HostGw.Planning;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Benchmarks.Whole;

/// <summary>The API server of a large cluster and the machines of its first three nodes; the others exist only as Node objects.</summary>
internal sealed class Site : IAsyncDisposable
{
    public const byte Protocol = 157;

    /// <summary>The length of the segment's prefix.</summary>
    public const string OnLink = "12";

    // On the segment of NodeFactory's nodes, above the last of them.
    private const string Address = "172.31.255.254";
    private const int Port = 6443;
    private const int MachineCount = 3;
    private static readonly DateTimeOffset Founded = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly NetworkNamespace _lan;

    private Site(FakeApiServer server, NetworkNamespace lan)
    {
        (Server, _lan) = (server, lan);
        server.WriteKubeconfig(Kubeconfig);
        File.WriteAllText(Authority, server.CaPem);
    }

    public FakeApiServer Server { get; }

    /// <summary>The machine that most is measured on, of the first node.</summary>
    public NetworkNamespace Machine => Machines[0];

    public IReadOnlyList<NetworkNamespace> Machines { get; } =
        [.. Enumerable.Range(1, MachineCount).Select(number => new NetworkNamespace($"machine{number}"))];

    public string Kubeconfig { get; } = $"{Box.Directory}/kubeconfig";

    public string Authority { get; } = $"{Box.Directory}/ca.pem";

    /// <summary>The API server for clients in this process, which no machine's network namespace holds.</summary>
    public Uri LocalServer { get; } = new($"https://127.0.0.1:{Port}");

    public Uri Nodes => new(Server.Uri, "/api/v1/nodes?resourceVersion=0");

    public int Size => Server.Nodes.Count;

    public static async Task<Site> CreateAsync()
    {
        var lan = new NetworkNamespace("lan");
        string[] machines = [.. Enumerable.Range(1, MachineCount).Select(number => $"machine{number}")];
        NetworkNamespace.Create([lan.Name, .. machines]);
        lan.Configure(
        [
            "link add lan type bridge", $"address add {Address}/{OnLink} dev lan", "link set lan up",
            .. machines.SelectMany(m => (string[])[$"link add {m} type veth peer name eth0 netns {m}", $"link set {m} master lan up"]),
        ]);
        var site = new Site(await FakeApiServer.StartAsync(new()
        {
            Listen = [new(IPAddress.Parse(Address), Port), new(IPAddress.Loopback, Port)],
            Bind = endpoint => endpoint is IPEndPoint { Address: var address } && IPAddress.IsLoopback(address)
                ? Bind(endpoint)
                : lan.Run(() => Bind(endpoint)),
            HistoryCapacity = 1024,
        }), lan);
        for (int number = 1; number <= MachineCount; number++)
            site.Machines[number - 1].Configure([$"address add {NodeFactory.Node(number).InternalIPs[0]}/{OnLink} dev eth0", "link set eth0 up"]);
        return site;
    }

    /// <summary>Node number <paramref name="number"/>, older than those above it.</summary>
    public static NodeSpec Describe(int number) => NodeFactory.Node(number, realistic: true) with { CreatedAt = Founded.AddSeconds(number) };

    /// <summary>With few images: 2.8 KB of protobuf, as kubelet writes a Node of a new host.</summary>
    public static NodeSpec DescribeSmall(int number) => Describe(number) with { Realistic = false, Images = 9 };

    /// <summary>Lets the cluster grow to so many nodes, and the server encode them: the first time is slow.</summary>
    public void Grow(int size, Func<int, NodeSpec> describe)
    {
        for (int number = Size + 1; number <= size; number++)
            Server.Nodes.Put(describe(number));
        Floor.ReadList(this);
    }

    /// <summary>Deletes all nodes.</summary>
    public void Clear()
    {
        foreach (string name in Server.Nodes.Names)
            Server.Nodes.Delete(name);
    }

    /// <summary>Makes a namespace that is plugged in by its eth0, which is down and has no address.</summary>
    public void Attach(NetworkNamespace machine)
    {
        NetworkNamespace.Create([machine.Name]);
        _lan.Configure([
            $"link add {machine.Name} type veth peer name eth0 netns {machine.Name}", $"link set {machine.Name} master lan up",
        ]);
    }

    /// <summary>Makes the first machine as if no agent had ever run on it.</summary>
    public void Reset() => Reset(Machine);

    public static void Reset(NetworkNamespace machine)
    {
        machine.Configure([$"route flush proto {Protocol}", $"route flush table local proto {Protocol}"]);
        string[] tables = machine.Exec("nft", "list", "tables").Split('\n', StringSplitOptions.TrimEntries);
        foreach (string table in (string[])[MasqueradeRuleset.TableName, GuardRuleset.TableName])
        {
            if (tables.Contains($"table inet {table}"))
                machine.Exec("nft", "delete", "table", "inet", table);
        }
        if (machine.Exec("ip", "-br", "link").Contains(TunnelPlan.LinkName, StringComparison.Ordinal))
            machine.Configure([$"link del {TunnelPlan.LinkName}"]);
        if (machine.Exec("ip", "rule", "list", "proto", $"{Protocol}").Length > 0)
            machine.Configure([$"rule flush proto {Protocol}"]);
        machine.Sysctl("ipv4/ip_forward", "0");
    }

    /// <summary>Starts a program on the machine without another program in between.</summary>
    public Process Start(ProcessStartInfo info) => Machine.Run(() => Process.Start(info)!);

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    private static Socket Bind(EndPoint endpoint)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(endpoint);
        return socket;
    }
}
