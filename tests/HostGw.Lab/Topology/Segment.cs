using HostGw.Lab.Network;

namespace HostGw.Lab.Topology;

/// <summary>The Ethernet between the nodes: a bridge in a namespace of its own, where the API server listens too.</summary>
public sealed class Segment : IDisposable
{
    private const string Bridge = "lan0";

    public NetworkNamespace Network { get; } = new("lan");

    public static Segment Create()
    {
        var segment = new Segment();
        NetworkNamespace.Create([segment.Network.Name]);
        segment.Network.Configure([
            $"link add {Bridge} type bridge",
            .. Addressing.ApiServer.Select(address => $"address add {OnLan(address)} dev {Bridge} {NoDad(address)}"),
            $"link set {Bridge} up",
        ]);
        return segment;
    }

    /// <summary>Plugs a namespace in as its <c>eth0</c>, with these addresses.</summary>
    public void Attach(NetworkNamespace host, IEnumerable<IPAddress> addresses)
    {
        Ip.Batch([$"link add eth0 netns {host.Name} type veth peer name {host.Name} netns {Network.Name}"]);
        Network.Configure([$"link set {host.Name} master {Bridge} up"]);
        host.Configure([
            .. addresses.Select(address => $"address add {OnLan(address)} dev eth0 {NoDad(address)}"),
            "link set eth0 up",
        ]);
    }

    public void Dispose() => NetworkNamespace.Delete([Network.Name]);

    /// <summary>An address on the LAN with its prefix length.</summary>
    public static string OnLan(IPAddress address) => address.IsV6() ? $"{address}/64" : $"{address}/24";

    internal static string NoDad(IPAddress address) => address.IsV6() ? "nodad" : "";
}
