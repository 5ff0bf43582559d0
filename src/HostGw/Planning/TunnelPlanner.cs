using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>What the tunnel changes about the verdicts, and what it needs.</summary>
internal sealed record TunnelDecision(ImmutableArray<Verdict> Verdicts)
{
    /// <summary>The link; null: no peer needs it, or <see cref="Fault"/> prevents it.</summary>
    public TunnelPlan? Link { get; init; }

    /// <summary>Why there is no tunnel though a peer needs it, with the cure; empty: nothing prevents it.</summary>
    public string Fault { get; init; } = "";

    /// <summary>Why a pod may get the addresses of the link that is there, with the cure; empty: none does.</summary>
    public string Doubt { get; init; } = "";

    /// <summary>Routes to single addresses of peers, by which probes measure both paths.</summary>
    public ImmutableArray<PodRoute> Comparisons { get; init; } = [];
}

/// <summary>Decides which peers are reached through the tunnel. Pure.</summary>
/// <param name="own">This node's podCIDRs; empty unless everything is planned.</param>
/// <param name="previous">The plan before this one; null: this is the first.</param>
internal sealed class TunnelPlanner(Policy policy, HostState host, ImmutableArray<Prefix> own, NextHops nextHops, Plan? previous)
{
    // A smaller MTU would be none in IPv6 (RFC 8200 5): datagrams outside are fragmented then.
    private const int LeastMtuIPv6 = 1280;

    private const int UsualMtu = 1500;

    private readonly ForeignRoutes _foreign = new(host);

    // Of this host; none in a family without podCIDR.
    private readonly Ip _sourceIPv4 = SourceOf(policy, own, isIPv4: true), _sourceIPv6 = SourceOf(policy, own, isIPv4: false);

    // Asked for each peer, and kube-proxy's ipvs mode gives kube-ipvs0 an address for each Service.
    private readonly bool _isReadyIPv4 = IsReady(policy, host, SourceOf(policy, own, isIPv4: true));
    private readonly bool _isReadyIPv6 = IsReady(policy, host, SourceOf(policy, own, isIPv4: false));

    public required HeldNodeAddresses Held { get; init; }

    public required Reachability Reachability { get; init; }

    /// <param name="native">The verdicts without the tunnel.</param>
    public TunnelDecision Decide(ImmutableArray<Verdict> native)
    {
        if (policy.Tunnel.Mode == TunnelMode.Off || host.Windows is not null)
            return new(native);
        List<(int Index, PeerPath Path, Ip Node)> peers = Peers(native);
        if (peers.Count == 0 && !HoldsTunnelled(native))
            return new(native);
        if (!own.IsEmpty && Fault() is { Length: > 0 } fault)
            return new(native) { Fault = fault };

        ImmutableArray<Verdict>.Builder verdicts = native.ToBuilder();
        var comparisons = ImmutableArray.CreateBuilder<PodRoute>();
        foreach ((int index, PeerPath path, Ip node) in peers)
        {
            Verdict verdict = native[index];
            bool isIPv4 = verdict.PodCidr.IsIPv4;
            // Through the link, once it is there.
            Encapsulation? tunnel = (isIPv4 ? _isReadyIPv4 : _isReadyIPv6) ? Encapsulate(isIPv4, node) : null;
            if (path == PeerPath.Tunnel)
                verdicts[index] = Tunnelled(verdict, tunnel);
            if (!own.IsEmpty && policy.Tunnel.Mode == TunnelMode.Auto && IsProbed(verdict))
                Compare(verdict, tunnel, comparisons);
        }
        return new(verdicts.MoveToImmutable())
        {
            Link = own.IsEmpty ? null : new(policy.Tunnel.Port, policy.Tunnel.Vni, [.. Sources()]),
            Doubt = TunnelSource.Doubt(policy, host, own),
            Comparisons = comparisons.DrainToImmutable(),
        };
    }

    // Those that the tunnel carries or may carry, with their node addresses.
    private List<(int Index, PeerPath Path, Ip Node)> Peers(ImmutableArray<Verdict> native)
    {
        List<(int, PeerPath, Ip)> peers = [];
        for (int i = 0; i < native.Length; i++)
        {
            PeerPath path = MayBeTunnelled(native[i]) ? PathOf(native[i]) : PeerPath.Native;
            if (path is PeerPath.Compared or PeerPath.Tunnel && nextHops.NodeOf(native[i]) is { IsNone: false } node)
                peers.Add((i, path, node));
        }
        return peers;
    }

    // While an interface or address of this host is missing, installed routes stay: without the link they would not.
    private bool HoldsTunnelled(ImmutableArray<Verdict> native)
    {
        foreach (Verdict verdict in native)
        {
            if (verdict.Kind == VerdictKind.Waiting && IsTunnelled(verdict.PodCidr))
                return true;
        }
        return false;
    }

    // This node needs a source in the podCIDR's family; where that is not known, because its own podCIDRs are not, what is installed stays.
    private bool MayBeTunnelled(in Verdict verdict)
    {
        bool isIPv4 = verdict.PodCidr.IsIPv4;
        bool isReachable = verdict.Kind is VerdictKind.Routed or VerdictKind.NotAdjacent || NextHops.HasNoneOfFamily(verdict);
        return isReachable && !verdict.Node.IsWindows && (own.IsEmpty || own.Any(p => p.IsIPv4 == isIPv4));
    }

    private PeerPath PathOf(in Verdict verdict)
    {
        if (policy.Tunnel.Mode == TunnelMode.Always)
            return PeerPath.Tunnel;
        PeerPath path = Reachability.Of(verdict.PodCidr).Path;
        return path != PeerPath.Undecided ? path
            : IsTunnelled(verdict.PodCidr) ? PeerPath.Tunnel
            : IsCompared(verdict.PodCidr) ? PeerPath.Compared
            : PeerPath.Native;
    }

    // Until the probes have decided, what is installed stays. A plan depends on installed routes no more than that.
    private bool IsTunnelled(Prefix podCidr) =>
        host.OwnRouteTo(podCidr) is { Tunnel: not null } ||
        (previous is not null && previous.RoutesTo(podCidr) is [{ Tunnel: not null }, ..]);

    // The peer's packets may come by the link still.
    private bool IsCompared(Prefix podCidr) => TunnelSource.Of(podCidr, policy.Tunnel.Source) is { IsNone: false } source &&
        host.OwnRouteTo(Prefix.Host(source)) is { Tunnel: not null };

    private string Fault()
    {
        if (host.GuardObstacle.Length > 0)
            return host.GuardObstacle;
        if (host.Tunnel is { IsOurs: false })
        {
            const string link = TunnelPlan.LinkName;
            return $"this host has an interface {link} that is not HostGw's: `ip -d link show {link}` shows it, " +
                $"`ip link set {link} down` and `ip link set {link} name NEWNAME` rename it";
        }
        return TunnelSource.Fault(policy, own) is { Length: > 0 } fault ? fault
            : HoldsSources() ? ""
            : TunnelSource.Doubt(policy, host, own);
    }

    // Another CNI configuration may come first while the tunnel runs, and go again: to take the addresses away would cut peers off.
    private bool HoldsSources() => Sources().All(s =>
        previous?.Tunnel?.Sources.Contains(s) == true ||
        (host.Tunnel is { IsOurs: true } link && host.Addresses.Any(a => a.Interface == link.Index && a.Address == s)));

    private Verdict Tunnelled(in Verdict native, Encapsulation? tunnel) => tunnel is null
        ? native with { AwaitsTunnel = true }
        : native with
        {
            Kind = VerdictKind.Routed,
            NativeKind = native.Kind,
            NextHop = tunnel.Node,
            Interface = host.Tunnel!.Index,
            Tunnel = tunnel,
        };

    // The routes over the link are refused, or vanish, unless it is up and holds the source.
    private static bool IsReady(Policy policy, HostState host, Ip source) =>
        host.Tunnel is { IsOurs: true, IsUp: true, IsVxlanGpe: true } link && link.Port == policy.Tunnel.Port &&
        !source.IsNone && host.Addresses.Any(a => a.Interface == link.Index && a.Address == source);

    // Of a Node's podCIDRs of one family the first: probes are sent to addresses inside it.
    private static bool IsProbed(in Verdict verdict) =>
        ProbeAddress.FirstPodCidr(verdict.Node.PodCidrs, verdict.PodCidr.IsIPv4) == verdict.PodCidr;

    private void Compare(in Verdict native, Encapsulation? tunnel, ImmutableArray<PodRoute>.Builder routes)
    {
        Prefix podCidr = native.PodCidr;
        uint metric = podCidr.IsIPv4 ? host.MetricIPv4 : host.MetricIPv6;
        if (NativeWay(native) is var (nextHop, link))
            routes.Add(new(Prefix.Host(podCidr.Aligned.Address), metric, nextHop, link));
        if (tunnel is not null && TunnelSource.Of(podCidr, policy.Tunnel.Source) is { IsNone: false } peer)
            routes.Add(new(Prefix.Host(peer), metric, tunnel.Node, host.Tunnel!.Index) { Tunnel = tunnel });
    }

    // Beyond this segment it is the router's to which packets would go without the tunnel's route, which hides whether routers have
    // learnt the pod networks meanwhile.
    private (Ip NextHop, int Interface)? NativeWay(in Verdict native)
    {
        if (native.Kind == VerdictKind.Routed)
            return (native.NextHop, native.Interface);
        Ip probed = native.PodCidr.Aligned.Address;
        return native.Kind == VerdictKind.NotAdjacent && _foreign.To(probed) is { IsUnicast: true, NextHop.IsNone: false } way &&
            way.NextHop.IsIPv4 == probed.IsIPv4 && host.Interface(way.Interface) is { IsUp: true } ? (way.NextHop, way.Interface) : null;
    }

    /// <param name="isIPv4">Of the packets inside.</param>
    private Encapsulation Encapsulate(bool isIPv4, Ip node)
    {
        NodePath path = PathTo(node);
        int mtu = path.Mtu - Encapsulation.Overhead(node.IsIPv4);
        return new(policy.Tunnel.Vni, node, Source(isIPv4), isIPv4 ? mtu : Math.Max(mtu, LeastMtuIPv6))
        {
            // Peers' guards let in no others, and the kernel may choose one. Where this host holds none, it is left to choose.
            OuterSource = Held.First(node.IsIPv4, path.Interface),
        };
    }

    // As the kernel has it, else by the best route there.
    private NodePath PathTo(Ip node)
    {
        int known = host.NodePaths.AsSpan().BinarySearch(new ByNode(node));
        if (known >= 0)
            return host.NodePaths[known];
        HostInterface? link = _foreign.To(node) is { IsUnicast: true } route ? host.Interface(route.Interface) : null;
        return new(node, link?.Mtu ?? UsualMtu, link?.Index ?? 0);
    }

    private Ip Source(bool isIPv4) => isIPv4 ? _sourceIPv4 : _sourceIPv6;

    private IEnumerable<Ip> Sources() => ((Ip[])[_sourceIPv4, _sourceIPv6]).Where(s => !s.IsNone);

    private static Ip SourceOf(Policy policy, ImmutableArray<Prefix> own, bool isIPv4) =>
        ProbeAddress.FirstPodCidr(own, isIPv4) is { IsNone: false } first ? TunnelSource.Of(first, policy.Tunnel.Source) : default;

    private readonly record struct ByNode(Ip Node) : IComparable<NodePath>
    {
        public int CompareTo(NodePath other) => Node.CompareTo(other.Node);
    }
}

/// <summary>
/// SOURCE: the address inside a node's podCIDR that its own packets into the tunnel carry, so that answers come back through it.
/// </summary>
internal static class TunnelSource
{
    /// <summary>
    /// None where the podCIDR has no room for it. The last address is one of IPv6 only: in IPv4 it is the broadcast address.
    /// </summary>
    /// <param name="index">The setting tunnel.source; 0: the gateway.</param>
    public static Ip Of(Prefix podCidr, int index)
    {
        if (index == 0)
            return PodGateway.Of(podCidr, isWindows: false);
        Ip address = podCidr.Aligned.Address.Plus((uint)index);
        return podCidr.Contains(address) && (podCidr.IsIPv6 || address != podCidr.Last) ? address : default;
    }

    /// <summary>Why this node has none, with the cure; empty: it has one of each family of its podCIDRs.</summary>
    public static string Fault(Policy policy, ImmutableArray<Prefix> own)
    {
        int index = policy.Tunnel.Source;
        return index > 0 && First(own).FirstOrDefault(p => Of(p, index).IsNone) is { IsNone: false } small
            ? $"tunnel.source {index} lies outside this node's podCIDR {small}: set it to a lower index that no pod gets, or to auto"
            : "";
    }

    /// <summary>Why a pod may get that address as well, with the cure; empty: none does.</summary>
    public static string Doubt(Policy policy, HostState host, ImmutableArray<Prefix> own)
    {
        if (policy.Tunnel.Source > 0)
            return "";
        string cure = "if pods never get a certain address of each podCIDR, set tunnel.source to its index, such as 254";
        if (host.SourceObstacle.Length > 0)
            return $"{host.SourceObstacle}; {cure}";
        return host.ReservedSubnets is { } reserved &&
            First(own).FirstOrDefault(p => !reserved.Contains(p.Aligned)) is { IsNone: false } other
            ? $"the CNI configuration in use gives pods addresses of {string.Join(", ", reserved)}, not of this node's podCIDR {other}: " +
                $"whether a pod gets {Of(other, 0)} is not known; {cure}"
            : "";
    }

    // Of each family.
    private static IEnumerable<Prefix> First(ImmutableArray<Prefix> own) => own.DistinctBy(p => p.IsIPv4);
}

/// <summary>The routes that packets would take without HostGw's. An index is made when one is first asked for.</summary>
internal sealed class ForeignRoutes(HostState host)
{
    private (PrefixForest Prefixes, int[] Routes)? _index;

    /// <summary>The best one to the longest prefix; null: none.</summary>
    public HostRoute? To(Ip address)
    {
        (PrefixForest prefixes, int[] routes) = _index ??= Index();
        return prefixes.Covering(address) is >= 0 and var index ? host.Routes[routes[index]] : null;
    }

    // Routes are sorted by key: of those to one prefix, the first has the best metric.
    private (PrefixForest, int[]) Index()
    {
        List<Prefix> prefixes = [];
        List<int> routes = [];
        ReadOnlySpan<HostRoute> all = host.RouteSpan;
        for (int i = 0; i < all.Length; i++)
        {
            ref readonly HostRoute route = ref all[i];
            if (route.IsOurs || route.Tos != 0 || (prefixes.Count > 0 && prefixes[^1] == route.Destination))
                continue;
            prefixes.Add(route.Destination);
            routes.Add(i);
        }
        return (new([.. prefixes]), [.. routes]);
    }
}
