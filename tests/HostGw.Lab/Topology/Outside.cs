using HostGw.Lab.Network;
using HostGw.Lab.Probes;

namespace HostGw.Lab.Topology;

/// <summary>The rest of the world: the nodes' default gateway and a host behind it. It has no route to pods, so it can answer only the nodes.</summary>
public sealed class Outside : IDisposable
{
    private Outside(NetworkNamespace network)
    {
        Network = network;
        Echo = SourceEcho.Start(network, Addressing.Outside);
    }

    public NetworkNamespace Network { get; }

    /// <summary>Keeps every source address that was seen, also those it could not answer.</summary>
    public SourceEcho Echo { get; }

    public static Outside Create(Segment segment)
    {
        var network = new NetworkNamespace("outside");
        NetworkNamespace.Create([network.Name]);
        // It must see packets of pods that nobody masqueraded, to report them.
        network.Sysctl("ipv4/conf/all/rp_filter", "0");
        network.Sysctl("ipv4/conf/default/rp_filter", "0");
        network.Configure([
            $"address add {Addressing.Outside[0]}/32 dev lo",
            $"address add {Addressing.Outside[1]}/128 dev lo nodad",
        ]);
        segment.Attach(network, Addressing.Router);
        return new(network);
    }

    public void Dispose()
    {
        Echo.Dispose();
        NetworkNamespace.Delete([Network.Name]);
    }
}
