using System.Collections.Immutable;
using System.Net.Sockets;
using System.Runtime.Versioning;
using HostGw.Lab.Network;
using HostGw.Planning;
using HostGw.Probes;
using Microsoft.Extensions.Logging.Abstractions;
using Ip = HostGw.Net.Ip;

namespace HostGw.Lab.Tests.Platform;

/// <summary>Hosts on one switch that probe each other. They have the routes that agents make, and no agents.</summary>
[SupportedOSPlatform("linux")]
internal sealed class ProbeNetwork : IDisposable
{
    private readonly NetworkNamespace _switch = new("switch");
    private readonly List<ProbingHost> _hosts = [];

    /// <param name="hosts">How many; numbered from 1.</param>
    /// <param name="tunnel">The settings of the tunnel; null: there is none.</param>
    public ProbeNetwork(int hosts, TunnelPolicy? tunnel = null)
    {
        NetworkNamespace.Create([_switch.Name]);
        _switch.Configure(["link add lan0 address 02:00:00:00:ff:01 type bridge", "link set lan0 up"]);
        for (int number = 1; number <= hosts; number++)
            _hosts.Add(Add(number, tunnel ?? new()));
        foreach (ProbingHost host in _hosts)
            host.Network.Configure(_hosts.Where(p => p != host).SelectMany(p => p.Routes));
    }

    public ProbingHost this[int number] => _hosts[number - 1];

    /// <summary>As in clouds with a check of source and destination.</summary>
    public void DropPodAddresses() => _switch.Exec("nft",
        "add table bridge check; add chain bridge check forward { type filter hook forward priority 0; }; " +
        "add rule bridge check forward ip saddr 10.244.0.0/16 drop; add rule bridge check forward ip6 saddr fd00:10:244::/48 drop");

    /// <summary>The switch's port of a host carries no larger packets, and says so to nobody.</summary>
    public void Limit(ProbingHost host, int mtu) => _switch.Configure([$"link set {host.Network.Name} mtu {mtu}"]);

    public void DropNothing() => _switch.Exec("nft", "delete table bridge check");

    /// <summary>All know each other.</summary>
    public void FollowAll()
    {
        foreach (ProbingHost host in _hosts)
            host.Follow(_hosts);
    }

    public void Dispose()
    {
        _hosts.ForEach(h => h.Dispose());
        NetworkNamespace.Delete([_switch.Name, .. _hosts.Select(h => h.Network.Name)]);
    }

    private ProbingHost Add(int number, TunnelPolicy tunnel)
    {
        NetworkNamespace network = new($"host{number}");
        NetworkNamespace.Create([network.Name]);
        Network.Ip.Batch([$"link add eth0 netns {network.Name} type veth peer name {network.Name} netns {_switch.Name}"]);
        _switch.Configure([$"link set {network.Name} master lan0 up"]);
        network.Sysctl("ipv4/ip_forward", "1");
        network.Sysctl("ipv6/conf/all/forwarding", "1");
        // Probes follow each other quickly here.
        network.Sysctl("ipv4/icmp_ratelimit", "0");
        network.Sysctl("ipv6/icmp/ratelimit", "0");
        network.Configure([
            $"address add 10.0.0.{number}/24 dev eth0", $"address add fd00:aaaa::{number}/64 dev eth0 nodad", "link set eth0 up",
            // Of pods, which have the other addresses.
            "link add pod0 type veth peer name pod1", "link set pod0 up", "link set pod1 up",
            $"route add 10.244.{number}.0/24 dev pod0", $"route add fd00:10:244:{number}::/64 dev pod0",
        ]);
        return new(number, network, tunnel);
    }
}

/// <summary>One host, with what probes there.</summary>
[SupportedOSPlatform("linux")]
internal sealed class ProbingHost : IDisposable
{
    public const int Port = 9158;

    private int _changes;
    private bool _hasLink, _isWindows;
    private ImmutableArray<Ip> _held;

    public ProbingHost(int number, NetworkNamespace network, TunnelPolicy tunnel)
    {
        (Number, Network, Tunnel) = (number, network, tunnel);
        Loop = New();
        AddProbeAddresses();
    }

    public int Number { get; }

    public NetworkNamespace Network { get; }

    public TunnelPolicy Tunnel { get; }

    public ProbeLoop Loop { get; private set; }

    public ShiftedTime Time { get; } = new();

    /// <summary>How often a changed verdict was announced.</summary>
    public int Changes => Volatile.Read(ref _changes);

    public Prefix PodCidr => Prefix.Parse($"10.244.{Number}.0/24");

    public Prefix PodCidrIPv6 => Prefix.Parse($"fd00:10:244:{Number}::/64");

    public void Start() => Network.Run(() => Loop.StartAsync(default).Wait());

    public void Stop()
    {
        Loop.StopAsync(default).Wait();
        Loop.Dispose();
        Loop = New();
    }

    public void Follow(IEnumerable<ProbingHost> hosts, Func<ProbingHost, bool>? isOnLink = null) =>
        Loop.Follow(Following(hosts, isOnLink), _held);

    private HostState Host => new()
    {
        Interfaces = [new(2, "eth0", IsUp: true, IsLoopback: false)],
        Addresses = [.. Node.InternalIPs.Select(a => new HostAddress(a, Prefix.Host(a), 2))],
    };

    private Plan Following(IEnumerable<ProbingHost> hosts, Func<ProbingHost, bool>? isOnLink = null) => new()
    {
        OwnPodCidrs = [PodCidr, PodCidrIPv6],
        NodeSources = NodeSources.Of(Host, HeldNodeAddresses.Of(Host, Node, new([])), []),
        Verdicts = [.. hosts.SelectMany(h => h.Verdicts(
            h == this ? VerdictKind.Self : isOnLink?.Invoke(h) == false ? VerdictKind.NotAdjacent : VerdictKind.Routed))],
    };

    /// <summary>Installs the tunnel's link and the routes that measure both ways to a peer, as an agent does, or lets its pods' packets take it.</summary>
    public void Install(ProbingHost peer, PeerPath path)
    {
        List<PodRoute> routes = [];
        bool isFirst = !_hasLink;
        _hasLink = true;
        foreach (bool isIPv4 in (bool[])[true, false])
        {
            (Prefix pods, Ip own) = (isIPv4 ? peer.PodCidr : peer.PodCidrIPv6, TunnelSource.Of(isIPv4 ? PodCidr : PodCidrIPv6, 0));
            Ip node = Ip.Parse(isIPv4 ? $"10.0.0.{peer.Number}" : $"fd00:aaaa::{peer.Number}");
            string encap = isIPv4 ? $"encap ip id 157 dst {node}" : $"encap ip6 id 157 dst {node} hoplimit 64 csum";
            if (isFirst)
                Network.Configure([.. isIPv4 ? Link : [], $"address add {Prefix.Host(own)} dev hostgw0 nodad"]);
            PodRoute native = new(Prefix.Host(ProbeAddress.Of(pods)), 0, node, 2);
            PodRoute tunnel = new(Prefix.Host(TunnelSource.Of(pods, 0)), 0, node, 9) { Tunnel = new(157, node, own, 1464) };
            routes.AddRange([native, tunnel, path == PeerPath.Tunnel ? tunnel with { Destination = pods } : native with { Destination = pods }]);
            Network.Configure([
                $"route replace {native.Destination} via {node} dev eth0", $"route replace {tunnel.Destination} {encap} dev hostgw0 src {own}",
                path == PeerPath.Tunnel ? $"route replace {pods} {encap} dev hostgw0 src {own}" : $"route replace {pods} via {node} dev eth0",
            ]);
        }
        Loop.Follow(Following([this, peer]) with
        {
            Tunnel = new(4790, 157, [TunnelSource.Of(PodCidr, 0), TunnelSource.Of(PodCidrIPv6, 0)]),
            Routes = [.. routes.OrderBy(r => r.Destination)],
        }, _held);
    }

    private static string[] Link =>
    [
        "link add hostgw0 type vxlan external gpe dstport 4790", "link set hostgw0 addrgenmode none", "link set hostgw0 up",
    ];

    /// <summary>What the probes decide on a peer, in both families.</summary>
    public (PeerPath IPv4, PeerPath IPv6) PathTo(ProbingHost peer) =>
        (Loop.Read().Of(peer.PodCidr).Path, Loop.Read().Of(peer.PodCidrIPv6).Path);

    public Task DecidesAsync(ProbingHost peer, PeerPath path) => Eventually.TrueAsync(
        () => PathTo(peer) == (path, path), () => $"host {peer.Number}: {PathTo(peer)}; {string.Join(", ", Loop.Counters.Datagrams)}",
        TimeSpan.FromSeconds(60));

    /// <summary>The verdicts in both families.</summary>
    public (ReachKind IPv4, ReachKind IPv6) Of(ProbingHost peer) =>
        (Loop.Read().Of(peer.PodCidr).Kind, Loop.Read().Of(peer.PodCidrIPv6).Kind);

    /// <summary>In both families; with Windows at either end in IPv4, the only one in which it is probed.</summary>
    public Task BecomesAsync(ProbingHost peer, ReachKind kind) => Eventually.TrueAsync(
        () => Of(peer) == (kind, _isWindows || peer._isWindows ? ReachKind.Unknown : kind),
        () => $"host {peer.Number} is {Of(peer)}; {string.Join(", ", Loop.Counters.Datagrams)}",
        TimeSpan.FromSeconds(60));

    public Task CountsAsync(ProbeResult result, long least) => Eventually.TrueAsync(
        () => Loop.Counters[result] >= least, () => string.Join(", ", Loop.Counters.Datagrams), TimeSpan.FromSeconds(60));

    /// <summary>As agents do, which tell the probes of it.</summary>
    public void AddProbeAddresses()
    {
        _held = [PodCidr.Address, PodCidrIPv6.Address];
        Network.Configure(_held.Select(a => $"route prepend local {a}/{a.Bits} dev lo table local proto 157"));
    }

    /// <summary>From now on as a Windows node: with a host endpoint in its pods' network and the sockets of .NET.</summary>
    public void PlayWindows()
    {
        DeleteProbeAddresses();
        _isWindows = true;
        _held = [PodGateway.Of(PodCidr, isWindows: true)];
        AddEndpoint();
        Network.Run(() =>
        {
            Loop.Dispose();
            return Loop = New();
        });
    }

    public void AddEndpoint() => Network.Configure(_held.Select(a => $"address add {a}/{a.Bits} dev pod0"));

    public void DeleteEndpoint() => Network.Configure(_held.Select(a => $"address delete {a}/{a.Bits} dev pod0"));

    public void DeleteProbeAddresses()
    {
        Network.Configure(_held.Select(a => $"route delete local {a}/{a.Bits} dev lo table local"));
        _held = [];
    }

    /// <summary>In the families in which the peer is probed.</summary>
    public IEnumerable<SizeQuestion> SizeQuestions(ProbingHost peer)
    {
        SizeQuestion ipv4 = new(peer.Node, peer.PodCidr, PodCidr.Address, "eth0", 1500);
        return peer._isWindows ? [ipv4] : [ipv4, new(peer.Node, peer.PodCidrIPv6, PodCidrIPv6.Address, "eth0", 1500)];
    }

    private ClusterNode Node => new()
    {
        Name = $"host{Number}",
        Uid = $"uid-{Number}",
        OperatingSystem = _isWindows ? "windows" : "linux",
        PodCidrs = [PodCidr, PodCidrIPv6],
        InternalIPs = [Ip.Parse($"10.0.0.{Number}"), Ip.Parse($"fd00:aaaa::{Number}")],
    };

    /// <summary>The routes that others have to it.</summary>
    public IEnumerable<string> Routes =>
    [
        $"route add 10.244.{Number}.0/24 via 10.0.0.{Number} dev eth0",
        $"route add fd00:10:244:{Number}::/64 via fd00:aaaa::{Number} dev eth0",
    ];

    /// <summary>A socket of this host, with any of its addresses and any port.</summary>
    public Socket Socket(string address, int port) => Network.Run(() =>
    {
        IPEndPoint own = new(IPAddress.Parse(address), port);
        Socket socket = new(own.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(own);
        return socket;
    });

    public void Dispose()
    {
        Loop.StopAsync(default).Wait();
        Loop.Dispose();
    }

    private ProbeLoop New() => new(
        new(Port, TimeSpan.FromSeconds(1)) { Tunnel = Tunnel },
        report => _isWindows
            ? new BoundProbeSockets(Port, report, Time, NullLogger.Instance)
            : new EpollProbeSockets(Port, report, Time, NullLogger.Instance),
        () => Interlocked.Increment(ref _changes), Time);

    private IEnumerable<Verdict> Verdicts(VerdictKind kind)
    {
        ClusterNode node = Node;
        return
        [
            new(node, PodCidr, kind, "", kind == VerdictKind.Routed ? node.InternalIPs[0] : default),
            new(node, PodCidrIPv6, kind, "", kind == VerdictKind.Routed ? node.InternalIPs[1] : default),
        ];
    }
}

/// <summary>The system's time, which a test may set ahead.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    private long _shift;

    public override long GetTimestamp() => base.GetTimestamp() + Volatile.Read(ref _shift);

    public void Advance(TimeSpan by) => Interlocked.Add(ref _shift, (long)(by.TotalSeconds * TimestampFrequency));
}
