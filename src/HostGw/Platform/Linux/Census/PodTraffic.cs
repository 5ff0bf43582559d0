using System.Collections.Immutable;
using HostGw.Planning;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Platform.Linux.Census;

/// <param name="Link">The interface over which they are reached.</param>
/// <param name="Node">The address of their node, which is resolved on that link; none: it is at the other end of the tunnel.</param>
/// <param name="Here">This node's address there; none: not known.</param>
internal readonly record struct PeerPods(Prefix PodCidr, LinkName Link, Ip Node, Ip Here);

/// <summary>The packets from and to pods of this node, in one address family, as classes that rules may tell apart.</summary>
/// <param name="Peers">Sorted.</param>
/// <param name="Pods">The interface of this node's pods, and of another of them.</param>
/// <param name="Uplink">The interface towards the outside.</param>
internal sealed record PodTraffic(
    ImmutableArray<Prefix> Own, ImmutableArray<PeerPods> Peers, (LinkName First, LinkName Second) Pods, LinkName Uplink)
{
    // How many parts of the cluster are tried in addition to the first peer: first those that rules name, then some others.
    private const int MaxParts = 24;
    private const int MaxOtherParts = 8;
    private const int SmallestPart = 4; // bits: a sixteenth of a podCIDR; smaller ones are pods, and rules on them are policies

    // Ordinary public addresses, which rules for private addresses do not match.
    private static readonly Prefix OutsideIPv4 = Prefix.Parse("142.250.74.100/32");
    private static readonly Prefix OutsideIPv6 = Prefix.Parse("2a00:1450:4001:830::2004/128");
    private static readonly Prefix LinkLocal = Prefix.Parse("fe80::/64");
    private const byte Solicitation = 135, Advertisement = 136, ArpRequest = 1, ArpReply = 2;
    private static readonly byte[] Protocols = [ProtocolNumber.Tcp, ProtocolNumber.Udp];

    public bool IsIPv4 => Own[0].IsIPv4;

    /// <summary>This node's traffic; none of a family without podCIDR or peers.</summary>
    public static IEnumerable<PodTraffic> Of(Plan plan, HostState host)
    {
        foreach (bool ipv4 in (bool[])[true, false])
        {
            ImmutableArray<Prefix> own = [.. plan.OwnPodCidrs.Where(p => p.IsIPv4 == ipv4).Select(p => p.Aligned)];
            // The kernel may list an interface twice while it changes.
            Dictionary<int, LinkName> links =
                host.Interfaces.DistinctBy(i => i.Index).ToDictionary(i => i.Index, i => LinkOf(i.Name, i.Index));
            Dictionary<int, Ip> here = [];
            foreach (HostAddress address in host.Addresses.Where(a => a.Address.IsIPv4 == ipv4 && !LinkLocal.Contains(a.Address)))
                here.TryAdd(address.Interface, address.Address);
            // LINQ would leave arrays of twice as many in a pool, which keeps them.
            var peers = ImmutableArray.CreateBuilder<PeerPods>(own.IsEmpty ? 0 : plan.Routes.Length);
            foreach (PodRoute route in own.IsEmpty ? [] : plan.Routes)
            {
                if (route.Destination.IsIPv4 == ipv4 && !route.NextHop.IsNone && !route.IsToOneAddress && !own.Contains(route.Destination))
                    peers.Add(Peer(route, links, here));
            }
            if (peers.Count > 0)
            {
                LinkName uplink = links.GetValueOrDefault(UplinkOf(plan, ipv4), new("", 0));
                yield return new(own, peers.DrainToImmutable(), PodLinks(own, host, links), uplink);
            }
        }
    }

    // That of the first native peer; of a host whose peers are all at the other end of the tunnel, that of its own address.
    private static int UplinkOf(Plan plan, bool ipv4)
    {
        foreach (PodRoute route in plan.Routes)
        {
            if (route is { Tunnel: null, NextHop.IsNone: false } && route.Destination.IsIPv4 == ipv4)
                return route.Interface;
        }
        return (ipv4 ? plan.InterfaceIPv4 : plan.InterfaceIPv6).Interface?.Index ?? 0;
    }

    private static PeerPods Peer(PodRoute route, Dictionary<int, LinkName> links, Dictionary<int, Ip> here) => new(
        route.Destination.Aligned, links.GetValueOrDefault(route.Interface, new("", 0)), route.Tunnel is null ? route.NextHop : default,
        here.GetValueOrDefault(route.Interface));

    /// <summary>The classes that every rule set is tried with.</summary>
    public IEnumerable<PacketClass> Whole()
    {
        PeerPods peer = Peers[0];
        Prefix outside = IsIPv4 ? OutsideIPv4 : OutsideIPv6;
        foreach (Prefix own in Own)
        {
            foreach (PacketClass packet in Between(own, peer))
                yield return packet;
            foreach (PacketClass packet in Each(PodFlow.OwnToOutside, own, outside, Pods.First, Uplink))
                yield return packet;
            foreach (PacketClass packet in Each(PodFlow.OutsideToOwn, outside, own, Uplink, Pods.First))
                yield return packet;
            // Frames between ports of one bridge pass no chain of IP.
            foreach (PacketClass packet in Pods.First.IsBridge ? [] : Each(PodFlow.OwnToOwn, own, own, Pods.First, Pods.Second))
                yield return packet;
        }
        foreach (PeerPods neighbour in Peers.Where(p => !p.Node.IsNone).DistinctBy(p => p.Link).Take(MaxParts))
        {
            foreach (PacketClass packet in Neighbours(neighbour))
                yield return packet;
        }
    }

    /// <summary>The classes of packets from and to the parts of podCIDRs, and to the peers, that rules name.</summary>
    /// <param name="known">Those tried before; receives the new ones.</param>
    /// <param name="others">The peers next to those that rules name: what excepts these concerns those.</param>
    public IEnumerable<PacketClass> Parts(IReadOnlyList<AddressRange> mentions, HashSet<Prefix> known, bool others)
    {
        int limit = MaxParts + (others ? MaxOtherParts : 0);
        foreach (AddressRange range in mentions)
        {
            if (known.Count >= limit || range.First.IsIPv4 != IsIPv4 || range.First.IsNone)
                continue;
            foreach (Prefix own in others ? [] : Own)
            {
                if (PartOf(own, range) is { } part && part != own && known.Add(part))
                {
                    foreach (PacketClass packet in Between(part, Peers[0]))
                        yield return packet;
                }
            }
            foreach (PeerPods peer in others ? PeersBeside(range) : PeersAt(range))
            {
                if (PartOf(peer.PodCidr, range) is { } part && part != Peers[0].PodCidr && known.Add(part))
                {
                    foreach (PacketClass packet in Between(Own[0], peer with { PodCidr = part }))
                        yield return packet;
                }
            }
        }
    }

    // The first ones that the range meets: of one it may have only the end.
    private IEnumerable<PeerPods> PeersAt(AddressRange range)
    {
        int first = Search(range.First);
        for (int i = first; i < Math.Min(first + 2, Peers.Length) && Peers[i].PodCidr.Address.CompareTo(range.Last) <= 0; i++)
            yield return Peers[i];
    }

    // Those that it does not meet.
    private IEnumerable<PeerPods> PeersBeside(AddressRange range)
    {
        int before = Search(range.First) - 1, after = Search(range.Last.Plus(1));
        if (range.First.Value != 0 && before >= 0)
            yield return Peers[before];
        if (range.Last.Plus(1).Value != 0 && after < Peers.Length)
            yield return Peers[after];
    }

    // The first peer that does not end before the address.
    private int Search(Ip address)
    {
        (int low, int high) = (0, Peers.Length);
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = Peers[middle].PodCidr.Last.CompareTo(address) < 0 ? (middle + 1, high) : (low, middle);
        }
        return low;
    }

    private static Prefix? PartOf(Prefix podCidr, AddressRange range)
    {
        if (range.Last.Value - range.First.Value < (podCidr.Last.Value - podCidr.Address.Value) >> SmallestPart)
            return null;
        Ip first = podCidr.Address.CompareTo(range.First) > 0 ? podCidr.Address : range.First;
        Ip last = podCidr.Last.CompareTo(range.Last) < 0 ? podCidr.Last : range.Last;
        if (first.CompareTo(last) > 0)
            return podCidr; // not named: as a whole
        return LargestPrefix(first, last) is var part && part.Length <= podCidr.Length + SmallestPart ? part : null;
    }

    private static Prefix LargestPrefix(Ip first, Ip last)
    {
        for (byte length = 0; ; length++)
        {
            Prefix candidate = new Prefix(first, length).Aligned;
            Prefix inside = candidate.Address == first ? candidate : new(candidate.Last.Plus(1), length);
            if (inside.Address.CompareTo(first) >= 0 && inside.Last.CompareTo(last) <= 0)
                return inside;
        }
    }

    private IEnumerable<PacketClass> Between(Prefix own, PeerPods peer) =>
    [
        .. Each(PodFlow.OwnToPeer, own, peer.PodCidr, Pods.First, peer.Link),
        .. Each(PodFlow.PeerToOwn, peer.PodCidr, own, peer.Link, Pods.First),
    ];

    private IEnumerable<PacketClass> Each(PodFlow flow, Prefix source, Prefix destination, LinkName from, LinkName to)
    {
        byte icmp = IsIPv4 ? ProtocolNumber.Icmp : ProtocolNumber.Icmp6, echo = (byte)(IsIPv4 ? 8 : 128);
        foreach (CtState state in flow == PodFlow.OutsideToOwn ? (CtState[])[CtState.Established] : [CtState.New, CtState.Established])
        {
            foreach (byte protocol in (byte[])[.. Protocols, icmp])
            {
                yield return new()
                {
                    Flow = flow,
                    IsIPv4 = IsIPv4,
                    Source = source,
                    Destination = destination,
                    Protocol = protocol,
                    // Answers of pods are echo replies, which come after requests that were let through.
                    IcmpType = echo,
                    In = from,
                    Out = to,
                    FirstState = state,
                };
            }
        }
    }

    // Those that arrive, and those that this node sends. For packets of pods a node asks with its link-local address, for its own with
    // the one that these have; it answers with the address that was asked for.
    private IEnumerable<PacketClass> Neighbours(PeerPods peer)
    {
        foreach ((Ip node, LinkName from, LinkName to) in ((Ip, LinkName, LinkName)[])
            [(peer.Node, peer.Link, default), (peer.Here, default, peer.Link)])
        {
            Prefix source = node.IsNone ? default : Prefix.Host(node);
            foreach ((byte type, Prefix sender) in IsIPv4 ? ((byte, Prefix)[])[(ArpRequest, default), (ArpReply, default)]
                : [(Solicitation, LinkLocal), (Solicitation, source), (Advertisement, source)])
            {
                yield return new()
                {
                    Flow = PodFlow.Neighbours,
                    IsIPv4 = IsIPv4,
                    Source = sender,
                    Destination = default,
                    Protocol = IsIPv4 ? PacketClass.NoProtocol : ProtocolNumber.Icmp6,
                    IcmpType = type,
                    In = from,
                    Out = to,
                    FirstState = CtState.Untracked,
                };
            }
        }
    }

    private static (LinkName, LinkName) PodLinks(ImmutableArray<Prefix> own, HostState host, Dictionary<int, LinkName> links)
    {
        LinkName[] found =
        [
            .. host.Addresses.Where(a => own.Any(p => p.Contains(a.Address))).Select(a => a.Interface)
                .Concat(host.Routes.Where(r => own.Any(p => p.Contains(r.Destination))).Select(r => r.Interface))
                .Where(i => i != host.Tunnel?.Index)
                .Distinct().Select(i => links.GetValueOrDefault(i)).Where(l => l.Name is { Length: > 0 }),
        ];
        LinkName first = found.Length > 0 ? found[0] : new("", 0);
        return (first, found.Length > 1 ? found[1] : first);
    }

    private static LinkName LinkOf(string name, int index) => new(name, index)
    {
        IsBridge = Directory.Exists($"/sys/class/net/{name}/bridge"),
    };
}
