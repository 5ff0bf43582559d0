using System.Net.Sockets;
using HostGw.Lab.Network;
using HostGw.Lab.Tests.Platform;
using HostGw.Lab.Topology;
using HostGw.Probes;

namespace HostGw.Lab.Tests;

/// <summary>A datagram of an attacker.</summary>
/// <param name="Name">Who sends what to whom.</param>
/// <param name="At">The node that drops and counts it.</param>
/// <param name="Counter">The guard that drops it, or what the agent calls a probe that it ignores.</param>
/// <param name="Send">Sends it with this mark, by which witnesses know it.</param>
internal sealed record Attack(string Name, Node At, string Counter, Action<byte[]> Send)
{
    public override string ToString() => Name;
}

/// <summary>
/// A pod of node 1, a host beyond the gateway, and a node of another cluster on the first segment, which also forges addresses: what
/// they send to the ports of tunnel and probes. Nodes 1 and 2 are on that segment; the last one may be elsewhere.
/// </summary>
/// <param name="sources">The addresses of a node's own packets in the tunnel.</param>
internal sealed class HostileTraffic(Cluster cluster, Func<Node, IPAddress[]> sources) : IDisposable
{
    public const int ProbePort = 9158;
    public const uint OtherVni = 156;
    private const int TunnelPort = 4790;
    private const uint Vni = 157;

    private static readonly IPAddress[] Nobody = [IPAddress.Parse("198.51.100.7"), IPAddress.Parse("2001:db8:7::7")];

    /// <summary>The addresses of a Node of this cluster that has no machine: nobody else sends under them.</summary>
    public static readonly IPAddress[] Ghost = [IPAddress.Parse("10.0.0.90"), IPAddress.Parse("fd00:10::90")];

    /// <summary>The addresses of a node of another cluster.</summary>
    public static readonly IPAddress[] Stranger = [IPAddress.Parse("10.0.0.99"), IPAddress.Parse("fd00:10::99")];

    private static readonly IPAddress[] ToAll =
        [IPAddress.Parse("10.0.0.255"), IPAddress.Broadcast, IPAddress.Parse("224.0.0.1"), IPAddress.Parse("ff02::1")];

    // What agents make of them when they come from no Node.
    private static readonly (ProbeKind Kind, int Length, string Result)[] Kinds =
    [
        (ProbeKind.Question, ProbeDatagram.Size, "unknown_sender"), (ProbeKind.LongQuestion, 1401, "unknown_sender"),
        (ProbeKind.LongQuestion, 60_000, "unknown_sender"), (ProbeKind.Answer, ProbeDatagram.Size, "not_asked"),
        (ProbeKind.Question, 63, "malformed"), (ProbeKind.Answer, 9001, "malformed"),
        ((ProbeKind)77, ProbeDatagram.Size, "unknown_version"),
    ];

    private readonly Node _one = cluster.Node(1), _two = cluster.Node(2), _last = cluster.Nodes[^1];

    /// <summary>Whether nodes have the link of the tunnel, and on it the addresses of their own packets.</summary>
    public bool HasTunnel { get; set; } = true;

    /// <summary>Where the other cluster's node is.</summary>
    public NetworkNamespace Other { get; } = new("stranger");

    private NetworkNamespace Pod => _one.Pods[0].Network;

    /// <summary>Plugs the other cluster's node in, tells the API of the ghost, and makes nodes as careless as hosts may be.</summary>
    public void Prepare()
    {
        NetworkNamespace.Create([Other.Name]);
        cluster.Segment.Attach(Other, Stranger);
        Other.Configure([
            .. cluster.Segment.Router.Select(r => $"route add default via {r}"),
            .. _one.PodCidrs.Zip(_one.Addresses, (podCidr, via) => $"route add {podCidr} via {via}"),
        ]);
        // No neighbour of the pod answers for it.
        Pod.Configure([$"route add {sources(_one)[1]} via {_one.PodGateways[1]}"]);
        cluster.Api.Server.Nodes.Put(new FakeApi.NodeSpec("ghost")
        {
            InternalIPs = [.. Ghost.Select(a => $"{a}")],
            PodCidrs = ["192.168.90.0/24", "fd00:192:168:90::/64"],
        });
        foreach (Node node in cluster.Nodes)
        {
            foreach (string link in (string[])["all", "default", "eth0", Node.Bridge])
            {
                node.Network.Sysctl($"ipv4/conf/{link}/rp_filter", "0");
                node.Network.Sysctl($"ipv4/conf/{link}/accept_local", "1");
            }
        }
    }

    /// <summary>As careless as the others, once it is there.</summary>
    public static void LoosenTunnel(Node node)
    {
        foreach (string setting in (string[])["accept_local", "route_localnet"])
            node.Network.Sysctl($"ipv4/conf/hostgw0/{setting}", "1");
    }

    /// <summary>To the tunnel's port.</summary>
    public IEnumerable<Attack> ToTunnel() => [.. TunnelOfPod(), .. TunnelOfPodWithRaw(), .. TunnelFromBeyond(), .. TunnelOfOther()];

    /// <summary>Through the tunnel under the address of a Node: what the guards let pass of the outer header.</summary>
    public IEnumerable<Attack> ThroughTunnel()
    {
        foreach (Inner inner in InnersTo(_one, _two).Where(i => !i.IsOfPeer))
            yield return Forged("forger", Other, _two.Addresses[0], _one, Vni, inner, "inner");
        yield return Forged("forger, another VNI", Other, _two.Addresses[0], _one, OtherVni, InnersTo(_one, _two).First(), "vni");
    }

    /// <summary>Datagrams of the pod to the probes' port, which never pass its node.</summary>
    public IEnumerable<Attack> ProbesOfPod()
    {
        IEnumerable<IPAddress> targets =
        [
            .. from node in cluster.Nodes
               from family in Enumerable.Range(0, 2)
               from address in Held(node, family)
               select address,
            IPAddress.Parse("192.168.1.255"), .. ToAll.Skip(1),
        ];
        foreach (IPAddress to in targets)
            yield return OfPod(to, ProbeKind.Question, ProbeDatagram.Size);
        foreach (Node node in cluster.Nodes)
        {
            yield return OfPod(node.Addresses[0], ProbeKind.Answer, ProbeDatagram.Size);
            yield return OfPod(node.Addresses[0], ProbeKind.LongQuestion, 1400);
            yield return OfPod(node.Addresses[1], (ProbeKind)77, 63);
        }
        foreach (IPAddress from in _two.Addresses.Concat(Held(_two, 0)).Concat(Held(_two, 1)).Distinct())
        {
            yield return new($"pod as {from} to node1: question", _one, "port", mark => Pod.Run(() => GuardPackets.SendRaw(
                GuardPackets.Udp(from, _one.Addresses[Family(from)], ProbePort, Probe(ProbeKind.Question, ProbeDatagram.Size, mark)))));
        }

        Attack OfPod(IPAddress to, ProbeKind kind, int length) => new($"pod to {to}: {kind}, {length} bytes", _one, "port",
            mark => Send(Pod, _one.Pods[0].Addresses[Family(to)], to, ProbePort, Probe(kind, length, mark)));
    }

    /// <summary>Datagrams that reach an agent, which ignores them.</summary>
    /// <param name="clients">The ports of node 1 on which its agent waits for answers, with their families.</param>
    public IEnumerable<Attack> ProbesIgnored(IReadOnlyCollection<(int Family, int Port)> clients)
    {
        foreach ((NetworkNamespace place, IPAddress[] from, Node[] nodes) in
            ((NetworkNamespace, IPAddress[], Node[])[])
            [(cluster.Outside.Network, [.. Addressing.Outside], [_one, _last]), (Other, Stranger, [_one])])
        {
            foreach (Node node in nodes)
            {
                foreach ((ProbeKind kind, int length, string result) in Kinds)
                    yield return To(place, from, node, node.Addresses[length % 2], kind, length, result);
            }
        }
        foreach (IPAddress to in Held(_one, 0).Concat(Held(_one, 1)).Concat(ToAll))
            yield return To(Other, Stranger, _one, to, ProbeKind.Question, ProbeDatagram.Size, "unknown_sender");
        yield return new("other cluster from port 53: question", _one, "privileged_port", mark => Send(
            Other, Stranger[0], _one.Addresses[0], ProbePort, Probe(ProbeKind.Question, ProbeDatagram.Size, mark), fromPort: 53));
        foreach ((int family, int port) in clients.Append((0, ProbePort)).Append((1, ProbePort)))
            yield return Answer("forger", Other, family, port);
        foreach ((int family, int port) in clients)
            yield return Answer("pod", Pod, family, port);

        // Under the address of the peer that was asked, and from its port: only the random number is wrong.
        Attack Answer(string who, NetworkNamespace place, int family, int port) => new(
            $"{who} as {_two.Addresses[family]} to port {port}: answer", _one, "not_asked", mark => place.Run(() => GuardPackets.SendRaw(
                GuardPackets.Udp(
                    _two.Addresses[family], _one.Addresses[family], port, Probe(ProbeKind.Answer, ProbeDatagram.Size, mark), ProbePort))));
    }

    /// <summary>Questions under the ghost's address that agents answer: as many bytes as were sent, to the ghost.</summary>
    public IEnumerable<Attack> ProbesAnswered() =>
        from family in Enumerable.Range(0, 2)
        from to in Held(_one, family).Take(2)
        select AsGhost(to);

    /// <summary>Questions under the ghost's address to all nodes at once, which nobody may answer.</summary>
    public IEnumerable<Attack> ProbesToAll() => ToAll.Select(AsGhost);

    /// <summary>One more to each node on the segment, which it ignores.</summary>
    public IEnumerable<Attack> ProbesAfterAll() =>
        from node in (Node[])[_one, _two]
        from to in node.Addresses
        select To(Other, Stranger, node, to, ProbeKind.Question, ProbeDatagram.Size, "unknown_sender");

    public void Dispose() => NetworkNamespace.Delete([Other.Name]);

    private Attack AsGhost(IPAddress to) => new($"forger as the ghost to {to}: question", _one, "echoed",
        mark => Other.Run(() => GuardPackets.SendRaw(
            GuardPackets.Udp(Ghost[Family(to)], to, ProbePort, Probe(ProbeKind.Question, ProbeDatagram.Size, mark)),
            to.IsV6() ? Scoped(to).ScopeId : 0)));

    private static Attack To(
        NetworkNamespace place, IPAddress[] from, Node node, IPAddress to, ProbeKind kind, int length, string result) =>
        new($"{place.Name} to {to}: {kind}, {length} bytes", node, result,
            mark => Send(place, from[Family(to)], to, ProbePort, Probe(kind, length, mark)));

    private IEnumerable<Attack> TunnelOfPod() =>
        from target in cluster.Nodes
        from outer in Outers(target)
        select Sent("pod", Pod, _one.Pods[0].Addresses, outer.To, outer.Inner, _one, "port");

    // What its node's kernel does not check with IPv6, nor where rp_filter is off.
    private IEnumerable<Attack> TunnelOfPodWithRaw() =>
        from pair in ((Node Target, Node Peer)[])[(_one, _two), (_two, _last)]
        from family in Enumerable.Range(0, 2)
        from source in Held(pair.Peer, family).Append(Ghost[family])
        let inner = InnersTo(pair.Target, pair.Peer).First(i => Family(i.To) == family)
        select Forged($"pod as {source}", Pod, source, pair.Target, Vni, inner, "port") with { At = _one };

    private IEnumerable<Attack> TunnelFromBeyond() =>
        from target in (Node[])[_one, _last]
        from outer in Outers(target)
        select Sent("beyond", cluster.Outside.Network, Addressing.Outside, outer.To, outer.Inner, target, "outer");

    private IEnumerable<Attack> TunnelOfOther()
    {
        foreach ((IPAddress to, Inner inner) in Outers(_one))
            yield return Sent("other cluster", Other, Stranger, to, inner, _one, "outer");
        foreach (IPAddress to in Held(_one, 0).Concat(Held(_one, 1)).Concat(ToAll))
            yield return Sent("other cluster", Other, Stranger, to, InnersTo(_one, _two).First(), _one, "outer");
    }

    // All packets inside in IPv4 datagrams, and one of each family in an IPv6 datagram.
    private IEnumerable<(IPAddress To, Inner Inner)> Outers(Node target)
    {
        Inner[] inners = [.. InnersTo(target, target == _one ? _two : _one)];
        foreach (Inner inner in inners)
            yield return (target.Addresses[0], inner);
        foreach (Inner inner in inners.DistinctBy(i => Family(i.To)))
            yield return (target.Addresses[1], inner);
    }

    private IEnumerable<Inner> InnersTo(Node target, Node peer)
    {
        Node third = cluster.Nodes.First(n => n != target && n != peer);
        foreach (int family in Enumerable.Range(0, 2))
        {
            IPAddress pod = target.Pods[0].Addresses[family], of = peer.Pods[0].Addresses[family];
            yield return new(of, pod, true);
            yield return new(peer.Addresses[family], pod, true);
            yield return new(peer.PodCidrs[family].BaseAddress, pod, true);
            yield return new(sources(peer)[family], pod, true);
            yield return new(of, sources(target)[family], true);
            yield return new(Nobody[family], pod, false);
            yield return new(Stranger[family], pod, false);
            yield return new(Addressing.Pod(target.Number, 7)[family], pod, false);
            yield return new(target.Addresses[family], pod, false);
            yield return new(sources(target)[family], pod, false);
            yield return new(of, target.Addresses[family], false);
            yield return new(of, third.Pods[0].Addresses[family], false);
            yield return new(of, Addressing.Outside[family], false);
            yield return new(of, family == 0 ? IPAddress.Parse("224.0.0.1") : IPAddress.Parse("ff02::1"), false);
        }
        yield return new(peer.Pods[0].Addresses[0], IPAddress.Loopback, false);
    }

    // What the node's own sockets receive at, inside and outside of its podCIDR.
    private IEnumerable<IPAddress> Held(Node node, int family) =>
        [node.Addresses[family], node.PodCidrs[family].BaseAddress, .. HasTunnel ? [sources(node)[family]] : Array.Empty<IPAddress>()];

    private static Attack Sent(
        string who, NetworkNamespace place, IReadOnlyList<IPAddress> from, IPAddress to, Inner inner, Node at, string guard) =>
        new($"{who} to {to} with {inner}", at, guard,
            mark => Send(place, from[Family(to)], to, TunnelPort, GuardPackets.Outer(Vni, inner.Packet(mark))));

    private static Attack Forged(string who, NetworkNamespace place, IPAddress from, Node target, uint vni, Inner inner, string guard)
    {
        IPAddress to = target.Addresses[Family(from)];
        return new($"{who} to {to} with {inner}", target, guard, mark => place.Run(() => GuardPackets.SendRaw(
            GuardPackets.Udp(from, to, TunnelPort, GuardPackets.Outer(vni, inner.Packet(mark))))));
    }

    private static void Send(NetworkNamespace place, IPAddress from, IPAddress to, int port, byte[] data, int fromPort = 0) =>
        place.Run(() =>
        {
            using Socket socket = new(from.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { EnableBroadcast = true };
            socket.Bind(new IPEndPoint(from, fromPort));
            socket.SendTo(data, new IPEndPoint(Scoped(to), port));
        });

    // To all on one link, which is another one in each namespace.
    private static IPAddress Scoped(IPAddress to) => to.IsIPv6Multicast ? IPAddress.Parse($"{to}%eth0") : to;

    private static byte[] Probe(ProbeKind kind, int length, byte[] mark)
    {
        byte[] datagram = new byte[Math.Max(length, ProbeDatagram.Size)];
        ProbeNonce guess = new((ulong)Random.Shared.NextInt64(), (ulong)Random.Shared.NextInt64());
        new ProbeDatagram(kind, ProbeFlags.WantsTunnel, Peer: 0, guess).Write(datagram);
        mark.CopyTo(datagram, 40);
        return datagram[..length];
    }

    private static int Family(IPAddress address) => address.IsV6() ? 1 : 0;

    /// <param name="IsOfPeer">A peer may send it: what is wrong is the outer header.</param>
    private sealed record Inner(IPAddress From, IPAddress To, bool IsOfPeer)
    {
        public byte[] Packet(byte[] mark) => GuardPackets.Udp(From, To, Witnesses.Port, mark);

        public override string ToString() => $"{From} -> {To}";
    }
}
