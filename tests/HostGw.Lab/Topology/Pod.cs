using System.Collections.Immutable;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;

namespace HostGw.Lab.Topology;

/// <summary>A pod: a namespace of a node, answering whoever asks with the source address it saw.</summary>
public sealed class Pod : IDisposable
{
    private readonly SourceEcho _echo;

    internal Pod(NetworkNamespace network, ImmutableArray<IPAddress> addresses)
    {
        Network = network;
        Addresses = addresses;
        _echo = SourceEcho.Start(network, addresses);
    }

    public string Name => Network.Name;

    public NetworkNamespace Network { get; }

    /// <summary>IPv4, then IPv6.</summary>
    public ImmutableArray<IPAddress> Addresses { get; }

    /// <summary>Plugs a new pod into the node's <c>cni0</c>.</summary>
    internal static Pod Create(Node node, int number)
    {
        var network = new NetworkNamespace($"{node.Name}-pod{number}");
        ImmutableArray<IPAddress> addresses = Addressing.Pod(node.Number, number);
        NetworkNamespace.Create([network.Name]);
        Ip.Batch([$"link add eth0 netns {network.Name} type veth peer name pod{number} netns {node.Name}"]);
        node.Network.Configure([$"link set pod{number} master {Node.Bridge} up"]);
        network.Configure([
            $"address add {addresses[0]}/24 dev eth0",
            $"address add {addresses[1]}/64 dev eth0 nodad",
            "link set eth0 up",
            .. node.PodGateways.Select(gateway => $"route add default via {gateway}"),
        ]);
        return new(network, addresses);
    }

    public void Dispose() => _echo.Dispose();
}
