using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>Decides which datagrams to the ports of probes and tunnel are accepted, and what may come out of the tunnel. Pure.</summary>
internal static class GuardPlanner
{
    /// <summary>Null: neither probes nor a tunnel, or this node's podCIDRs are not known.</summary>
    /// <param name="node">The names of this node's interfaces towards peers, and its podCIDRs.</param>
    public static GuardPlan? Plan(
        Policy policy, HostState host, IReadOnlyList<ClusterNode> nodes, TunnelDecision tunnel,
        (ImmutableArray<string> Uplinks, ImmutableArray<Prefix> Own) node)
    {
        if (node.Own.IsEmpty || host.Windows is not null || (!policy.Probe && tunnel.Link is null))
            return null;
        List<int> ports = policy.Probe ? [policy.ProbePort] : [];
        if (tunnel.Link is { } link)
            ports.Add(link.Port);
        IEnumerable<ClusterNode> peers = nodes.Where(n => n.Name != policy.NodeName && !n.IsWindows);
        return new(node.Uplinks, [.. ports.Order()])
        {
            Tunnel = tunnel.Link is null ? null : Guard(tunnel, host, peers, node.Own),
        };
    }

    private static TunnelGuard Guard(TunnelDecision tunnel, HostState host, IEnumerable<ClusterNode> peers, ImmutableArray<Prefix> own)
    {
        HashSet<Ip> local = [.. host.Addresses.Select(a => a.Address)];
        IEnumerable<Ip> addresses = peers.SelectMany(n => n.InternalIPs.Concat(n.ExternalIPs))
            // Of a Node that lists no address any more.
            .Concat(tunnel.Verdicts.Where(v => v.Tunnel is not null).Select(v => v.Tunnel!.Node))
            .Where(a => !local.Contains(a));
        IEnumerable<Prefix> pods = tunnel.Verdicts
            .Where(v => v.Kind is VerdictKind.Routed or VerdictKind.NotAdjacent or VerdictKind.Waiting or VerdictKind.NoAddress)
            .Where(v => !v.Node.IsWindows)
            .Select(v => v.PodCidr);
        return new(
            tunnel.Link!.Port, tunnel.Link.Vni,
            Nodes: Minimal(addresses.Select(Prefix.Host)), Own: Minimal(own.Select(p => p.Aligned)), Peers: Minimal(pods));
    }

    private static ImmutableArray<Prefix> Minimal(IEnumerable<Prefix> prefixes) => [.. new PrefixForest(prefixes).Roots()];
}

/// <summary>The interfaces over which datagrams of peers arrive: those that peers' routes use, and what the host itself uses.</summary>
internal static class Uplinks
{
    /// <summary>
    /// What the host itself uses, by index, sorted: where it holds this node's address, or has a route with a gateway, or one, as a VPN
    /// makes it, to a peer that no native route of HostGw's reaches.
    /// </summary>
    /// <param name="self">This node; null: the API has none.</param>
    /// <param name="own">This node's podCIDRs. Pods share no uplink, except one with this node's address.</param>
    public static ImmutableArray<int> OfHost(
        HostState host, ClusterNode? self, ImmutableArray<Prefix> own, ImmutableArray<Verdict> verdicts)
    {
        HashSet<int> used = [.. host.MultipathInterfaces];
        foreach (ref readonly HostRoute route in host.RouteSpan)
        {
            if (!route.IsOurs && !route.NextHop.IsNone)
                used.Add(route.Interface);
        }
        AddWaysToPeers(used, host, verdicts);
        used.ExceptWith(PodInterfaces.Of(own, host));
        used.UnionWith(InterfaceChoice.OfNode(host, self));
        return [.. used.Where(i => IsUplink(host.Interface(i))).Order()];
    }

    // A peer may send from any address that its Node lists.
    private static void AddWaysToPeers(HashSet<int> links, HostState host, ImmutableArray<Verdict> verdicts)
    {
        ForeignRoutes routes = new(host);
        foreach (Verdict verdict in verdicts)
        {
            if (verdict is { Tunnel: null, Kind: not VerdictKind.NotAdjacent } && !NextHops.HasNoneOfFamily(verdict))
                continue;
            ClusterNode peer = verdict.Node;
            foreach (ImmutableArray<Ip> addresses in (ReadOnlySpan<ImmutableArray<Ip>>)[peer.InternalIPs, peer.ExternalIPs])
            {
                foreach (Ip address in addresses)
                    links.Add(routes.To(address)?.Interface ?? 0);
            }
            // Of a Node that lists no address any more.
            if (verdict.Tunnel is { } tunnel)
                links.Add(routes.To(tunnel.Node)?.Interface ?? 0);
        }
    }

    /// <summary>Their names, sorted, with those of this node's interfaces and of the native routes to peers.</summary>
    public static ImmutableArray<string> Names(
        HostState host, ImmutableArray<int> ofHost, ImmutableArray<Verdict> native, InterfaceChoice v4, InterfaceChoice v6)
    {
        HashSet<int> links = [.. ofHost, v4.Interface?.Index ?? 0, v6.Interface?.Index ?? 0];
        foreach (Verdict verdict in native)
        {
            if (verdict.Kind == VerdictKind.Routed)
                links.Add(verdict.Interface);
        }
        return [.. links.Select(host.Interface).Where(IsUplink).Select(l => l!.Name).Order(StringComparer.Ordinal).Distinct()];
    }

    /// <summary>With those of the plan before, while they exist: a Node whose addresses alternate costs no write each time.</summary>
    public static ImmutableArray<string> Kept(
        ImmutableArray<string> now, ImmutableArray<string> before, HostState host, ImmutableArray<Prefix> own)
    {
        if (before.All(now.Contains))
            return now;
        HashSet<int> pods = PodInterfaces.Of(own, host);
        IEnumerable<string> kept = host.Interfaces.Where(i => before.Contains(i.Name) && !pods.Contains(i.Index)).Select(i => i.Name);
        return [.. now.Union(kept).Order(StringComparer.Ordinal)];
    }

    private static bool IsUplink(HostInterface? link) =>
        link is { IsLoopback: false, IsTunnel: false, Name: not TunnelPlan.LinkName };
}

/// <summary>The interfaces of this node's pods: those that hold an address, or have a route, inside its own podCIDRs. Pure.</summary>
internal static class PodInterfaces
{
    /// <returns>Their indexes; an uplink is among them where pods share it.</returns>
    public static HashSet<int> Of(ImmutableArray<Prefix> own, HostState state)
    {
        HashSet<int> interfaces = [];
        foreach (Prefix podCidr in own)
        {
            // ptp gives an interface its address some time before the pod's route.
            foreach (HostAddress address in state.Addresses)
            {
                if (podCidr.Contains(address.Address))
                    interfaces.Add(address.Interface);
            }

            // The routes are sorted by destination: those inside a prefix are neighbours.
            int next = state.FirstRouteFrom(new(podCidr.Address, 0));
            for (; next < state.Routes.Count && podCidr.Contains(state.Routes[next].Destination.Address); next++)
            {
                if (podCidr.Contains(state.Routes[next].Destination))
                    interfaces.Add(state.Routes[next].Interface);
            }
        }
        if (state.Tunnel is { } tunnel)
            interfaces.Remove(tunnel.Index);
        return interfaces;
    }
}
