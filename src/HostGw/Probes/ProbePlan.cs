using System.Collections.Immutable;
using System.Numerics;
using HostGw.Planning;

namespace HostGw.Probes;

/// <summary>Whom this node probes from where, and whose questions it answers: what the probes take from a plan.</summary>
/// <param name="Targets">At most one per Node and family.</param>
internal sealed record ProbePlan(ProbeSource IPv4, ProbeSource IPv6, ImmutableArray<ProbeTarget> Targets, KnownAddresses Known)
{
    /// <summary>The addresses at which this node is asked, as far as this host has them.</summary>
    public ImmutableArray<Ip> Own { get; init; } = [];

    /// <summary>From which address peers are asked at their node addresses.</summary>
    public NodeSources NodeSources { get; init; } = NodeSources.None;

    // A Node may list any address. What is sent to these reaches this host itself, or many.
    private static readonly ImmutableArray<Prefix> OfNoNode =
    [
        .. ((string[])["0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/3", "::/96", "::ffff:0:0/96", "fe80::/10", "ff00::/8"]).Select(Prefix.Parse),
    ];

    /// <param name="held">The probe addresses whose local routes are there.</param>
    /// <param name="tunnel">Null: this host asks for nobody's tunnel.</param>
    public static ProbePlan Of(Plan plan, ImmutableArray<Ip> held, TunnelPolicy? tunnel = null)
    {
        tunnel ??= new();
        ClusterNode? self = plan.Verdicts.FirstOrDefault(v => v.Kind == VerdictKind.Self).Node;
        bool isWindows = self is { IsWindows: true };
        ProbeSource v4 = ProbeSource.Of(plan, held, isIPv4: true, isWindows), v6 = ProbeSource.Of(plan, held, isIPv4: false, isWindows);
        ImmutableArray<ProbeTarget> targets = Choose(plan, tunnel, v4, v6, isWindows);
        return new(v4, v6, targets, KnownAddresses.Of(plan, tunnel.Source, targets))
        {
            // 0.0.0.0 and :: would be all of this host's.
            Own = self is null ? held
                : [.. self.InternalIPs.Concat(self.ExternalIPs).Concat(held).Where(a => a.Value != UInt128.Zero).Distinct()],
            NodeSources = plan.NodeSources,
        };
    }

    // A Windows host receives no ICMP message about a question.
    private static ImmutableArray<ProbeTarget> Choose(Plan plan, TunnelPolicy tunnel, ProbeSource v4, ProbeSource v6, bool isWindows)
    {
        var targets = ImmutableArray.CreateBuilder<ProbeTarget>(plan.Verdicts.Length);
        foreach (Verdict verdict in plan.Verdicts)
        {
            bool isEchoOnly = isWindows || verdict.Node.IsWindows;
            bool isReached = verdict.Kind is VerdictKind.Routed or VerdictKind.NotAdjacent ||
                (tunnel.Mode == TunnelMode.Auto && !isEchoOnly && NextHops.HasNoneOfFamily(verdict));
            bool isProbed = isReached && !(verdict.PodCidr.IsIPv4 ? v4 : v6).IsNone;
            if (!isProbed || verdict.Node.PodCidrs.IndexOf(verdict.PodCidr) is not (>= 0 and < ProbeTarget.MostPodCidrs and var index))
                continue;
            if (IndexOf(targets, verdict) is >= 0 and var same)
                targets[same] = targets[same] with { PodCidrs = targets[same].PodCidrs | 1u << index };
            else if (ProbeAddress.FirstPodCidr(verdict.Node.PodCidrs, verdict.PodCidr.IsIPv4) == verdict.PodCidr &&
                !ProbeAddress.Of(verdict.PodCidr, verdict.Node.IsWindows).IsNone && NodeAddress(verdict) is { IsNone: false } address)
            {
                bool isNextHop = address == verdict.NextHop && !NextHops.HasNoneOfFamily(verdict);
                ProbeTarget target = new(verdict.Node, 1u << index, address, verdict.IsOnLink, isNextHop) { IsEchoOnly = isEchoOnly };
                targets.Add(Follow(plan, tunnel.Source, target));
            }
        }
        return targets.DrainToImmutable();
    }

    // What the routes of the plan say of the tunnel.
    private static ProbeTarget Follow(Plan plan, int tunnelSource, ProbeTarget target)
    {
        if (plan.Tunnel is null)
            return target with { Routes = target.IsOnLink ? PeerRoutes.Native : PeerRoutes.None };
        Prefix podCidr = target.PodCidr;
        bool isTunnelled = Has(plan.RoutesTo(podCidr.Aligned), tunnelled: true);
        bool isNative = (target.IsOnLink && !isTunnelled) || Has(plan.RoutesTo(Prefix.Host(ProbeAddress.Of(podCidr))), tunnelled: false);
        bool hasTunnel = TunnelSource.Of(podCidr, tunnelSource) is { IsNone: false } source &&
            (isTunnelled || Has(plan.RoutesTo(Prefix.Host(source)), tunnelled: true));
        return target with
        {
            Routes = (isTunnelled ? PeerRoutes.Tunnelled : PeerRoutes.None) | (isNative ? PeerRoutes.Native : PeerRoutes.None) |
                (hasTunnel ? PeerRoutes.Tunnel : PeerRoutes.None),
        };
    }

    private static bool Has(ReadOnlySpan<PodRoute> routes, bool tunnelled)
    {
        foreach (ref readonly PodRoute route in routes)
        {
            if (route.Tunnel is not null == tunnelled)
                return true;
        }
        return false;
    }

    // The verdicts on one Node follow each other.
    private static int IndexOf(ImmutableArray<ProbeTarget>.Builder targets, Verdict verdict)
    {
        int i = targets.Count - 1;
        while (i >= 0 && ReferenceEquals(targets[i].Node, verdict.Node) && targets[i].PodCidr.IsIPv4 != verdict.PodCidr.IsIPv4)
            i--;
        return i >= 0 && ReferenceEquals(targets[i].Node, verdict.Node) ? i : -1;
    }

    private static bool IsOfNoNode(Ip address) => OfNoNode.Any(p => p.Contains(address));

    // The one that is the next hop. A next hop may also be a router's address, or one inside the podCIDR. Of the other family where the
    // Node has none of the podCIDR's, which only the tunnel reaches then.
    private static Ip NodeAddress(Verdict verdict)
    {
        Ip first = default;
        bool isIPv4 = verdict.PodCidr.IsIPv4 != NextHops.HasNoneOfFamily(verdict);
        IEnumerable<Ip> addresses = verdict.Node.InternalIPs.Concat(verdict.Node.ExternalIPs);
        foreach (Ip address in addresses.Where(a => a.IsIPv4 == isIPv4 && !IsOfNoNode(a)))
        {
            if (address == verdict.NextHop)
                return address;
            first = first.IsNone ? address : first;
        }
        return first.IsNone && !verdict.PodCidr.Contains(verdict.NextHop) ? verdict.NextHop : first;
    }
}

/// <summary>This node's own addresses in the pod network of one family, from which it probes.</summary>
/// <param name="Pod">Its probe address.</param>
/// <param name="IsHeld">Answers to the probe address reach this host. The kernel sends from it all the same, in IPv6.</param>
internal readonly record struct ProbeSource(Ip Pod, bool IsHeld)
{
    /// <summary>Its SOURCE; none: it has no tunnel.</summary>
    public Ip Tunnel { get; init; }

    public bool IsNone => Pod.IsNone;

    /// <summary>Whether natively another address asks, so that what is known may hold no more.</summary>
    public bool IsAnother(ProbeSource before) => (Pod, IsHeld) != (before.Pod, before.IsHeld);

    public static ProbeSource Of(Plan plan, ImmutableArray<Ip> held, bool isIPv4, bool isWindows)
    {
        Ip pod = ProbeAddress.Of(ProbeAddress.FirstPodCidr(plan.OwnPodCidrs, isIPv4), isWindows);
        return new(pod, held.Contains(pod))
        {
            Tunnel = plan.Tunnel is { } tunnel ? tunnel.Sources.FirstOrDefault(s => s.IsIPv4 == isIPv4) : default,
        };
    }
}

/// <summary>A peer in one family.</summary>
/// <param name="PodCidrs">Those of the Node's podCIDRs that share its verdict, one bit each; the first one is probed.</param>
/// <param name="IsOnLink">HostGw has a native route to it; false: only routes of the network can lead there.</param>
/// <param name="IsNextHop">That route leads to the node address, and not to an annotated router or the gateway of the pods.</param>
internal readonly record struct ProbeTarget(ClusterNode Node, uint PodCidrs, Ip NodeAddress, bool IsOnLink, bool IsNextHop)
{
    public const int MostPodCidrs = 32;

    public PeerRoutes Routes { get; init; }

    /// <summary>
    /// One end is a Windows node: its agent alone says whether pods' packets arrive, no question has one hop to live, and none takes the
    /// tunnel.
    /// </summary>
    public bool IsEchoOnly { get; init; }

    public bool IsTunnelled => (Routes & PeerRoutes.Tunnelled) != 0;

    public bool HasNativePath => (Routes & PeerRoutes.Native) != 0;

    public bool HasTunnelPath => (Routes & PeerRoutes.Tunnel) != 0;

    public Prefix PodCidr => Node.PodCidrs[BitOperations.TrailingZeroCount(PodCidrs)];

    /// <summary>Where its agent answers in its pod network.</summary>
    public Ip PodAddress => ProbeAddress.Of(PodCidr, Node.IsWindows);

    /// <summary>Whether that address may be this Node's. Which one a kernel answers from depends on its routes.</summary>
    public bool Has(Ip address) =>
        address == NodeAddress || Node.InternalIPs.Contains(address) || Node.ExternalIPs.Contains(address) || PodCidr.Contains(address);
}

/// <summary>Where HostGw's routes to addresses of a peer lead.</summary>
[Flags]
internal enum PeerRoutes : byte
{
    None = 0,

    /// <summary>That to its pods leads into the tunnel.</summary>
    Tunnelled = 1,

    /// <summary>That to its probe address is native, wherever that to its pods leads.</summary>
    Native = 2,

    /// <summary>That to its SOURCE leads into the tunnel.</summary>
    Tunnel = 4,
}
