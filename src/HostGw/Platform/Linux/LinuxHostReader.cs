using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Rtnetlink;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux;

/// <summary>Reads interfaces, addresses, routes and forwarding: one dump of each, however many there are.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxHostReader(
    NetlinkSocket socket, LinuxHostOptions options, LinuxPolicyRules rules, LinuxProbeAddress probeAddress)
{
    // Room for this many more routes than in the pass before: a list that grows leaves its old arrays as garbage.
    private const int SpareRoutes = 256;

    private readonly NetlinkWriter _request = new();
    private readonly LearntUplinks _learntUplinks = new(options.StateDirectory);
    private int _routeCount;
    private Plan _plan = new();

    /// <summary>
    /// Sets the plan of the latest pass. The paths that its tunnelled routes take are read also where these are away: otherwise their
    /// repair would wait until all nodes are planned again.
    /// </summary>
    public void SetPlan(Plan plan) => _plan = plan;

    /// <summary>Keeps for the next run what <see cref="Read"/> must know of interfaces that are away by then.</summary>
    public void Save() => _learntUplinks.Save();

    /// <summary>Interfaces, addresses and policy rules alone.</summary>
    /// <exception cref="NetlinkException">The kernel refused, or did not answer.</exception>
    public HostState ReadBriefly() => new()
    {
        Interfaces = ReadInterfaces(),
        Addresses = ReadAddresses().RemoveAll(a => a.IsDuplicate),
        PolicyRules = rules.Read(),
    };

    /// <exception cref="NetlinkException">The kernel refused, or did not answer.</exception>
    public HostState Read(IReadOnlyList<Ip> apiServers)
    {
        RouteDecoder decoder = new(options.RouteProtocol);
        List<HostRoute> routes = new(_routeCount + SpareRoutes);
        ReadRoutes(AF_INET, decoder, routes);
        ReadRoutes(AF_INET6, decoder, routes);
        ResolveNexthops(routes, decoder);
        SortByKey(routes);
        RemoveRepeated(routes);
        _routeCount = routes.Count;
        ImmutableArray<HostInterface> interfaces = MarkLearntRoutes(ReadInterfaces(), routes);
        ImmutableArray<HostAddress> addresses = ReadAddresses();
        (ImmutableArray<ProbeRoute> probeRoutes, ImmutableArray<ForeignLocalRoute> foreignLocalRoutes) = probeAddress.Read();
        return new()
        {
            Interfaces = interfaces,
            Addresses = addresses.RemoveAll(a => a.IsDuplicate),
            DuplicateAddresses = [.. addresses.Where(a => a.IsDuplicate)],
            MultipathInterfaces = [.. decoder.MultipathInterfaces.Order()],
            Routes = routes,
            SourceRoutes = [.. decoder.SourceRoutes.Distinct()],
            PolicyRules = rules.Read(),
            ProbeRoutes = probeRoutes,
            ForeignLocalRoutes = foreignLocalRoutes,
            NodePaths = ReadNodePaths(decoder.TunnelNodes, interfaces),
            Protected = ProtectedAddresses(decoder.Gateways, apiServers),
            Forwarding = options.ProcSysNet.ReadForwarding(),
            NewInterfacesForwardIPv4 = options.ProcSysNet.NewInterfacesForwardIPv4,
        };
    }

    private ImmutableArray<HostInterface> ReadInterfaces()
    {
        List<HostInterface> interfaces = [];
        Dump("list interfaces", LinkMessages.DumpLinks, interfaces.Clear, (_, payload) =>
        {
            if (LinkMessages.TryDecodeLink(payload, out HostInterface? link))
                interfaces.Add(link!);
        });
        return [.. interfaces];
    }

    private ImmutableArray<HostInterface> MarkLearntRoutes(ImmutableArray<HostInterface> interfaces, List<HostRoute> routes)
    {
        HashSet<int> learnt = [];
        foreach (ref readonly HostRoute route in CollectionsMarshal.AsSpan(routes))
        {
            if (route.Protocol == RTPROT_RA)
                learnt.Add(route.Interface);
        }
        _learntUplinks.Add(interfaces.Where(i => learnt.Contains(i.Index)).Select(i => i.Name));
        return [.. interfaces.Select(i => _learntUplinks.Contains(i.Name) ? i with { HasLearntRoute = true } : i)];
    }

    private ImmutableArray<HostAddress> ReadAddresses()
    {
        List<HostAddress> addresses = [];
        Dump("list addresses", LinkMessages.DumpAddresses, addresses.Clear, (_, payload) =>
        {
            if (LinkMessages.TryDecodeAddress(payload, out HostAddress address))
                addresses.Add(address);
        });
        return [.. addresses];
    }

    private void ReadRoutes(byte family, RouteDecoder decoder, List<HostRoute> routes)
    {
        int first = routes.Count;
        try
        {
            Dump(
                "list routes",
                (writer, sequence) => RouteEncoder.Dump(writer, family, sequence),
                () => routes.RemoveRange(first, routes.Count - first),
                (_, payload) =>
                {
                    if (decoder.TryDecode(payload, family, out HostRoute route))
                        routes.Add(route);
                });
        }
        catch (NetlinkException e) when (e.IsNotFound)
        {
            // A network namespace that never had a route in table main has no such table.
        }
    }

    // Only where a route names nothing but its nexthop object: the objects may be as many as the routes.
    private void ResolveNexthops(List<HostRoute> routes, RouteDecoder decoder)
    {
        Span<HostRoute> all = CollectionsMarshal.AsSpan(routes);
        NexthopObjects? objects = null;
        foreach (ref HostRoute route in all)
        {
            if (!NexthopObjects.Needs(route))
                continue;
            route = (objects ??= ReadNexthops()).Resolve(route);
            if (route.Destination.Length == 0 && !route.NextHop.IsNone)
                decoder.Gateways.Add(route.NextHop);
            if (route is { NextHopCount: > 1, IsOurs: false })
                decoder.MultipathInterfaces.UnionWith(objects.Interfaces(route));
        }
    }

    private NexthopObjects ReadNexthops()
    {
        NexthopObjects objects = new();
        Dump("list nexthop objects", NexthopObjects.Dump, objects.Clear, (_, payload) => objects.Add(payload));
        return objects;
    }

    private ImmutableArray<NodePath> ReadNodePaths(HashSet<Ip> nodes, ImmutableArray<HostInterface> interfaces)
    {
        foreach (ref readonly PodRoute route in _plan.Routes.AsSpan())
        {
            if (route.Tunnel is { } planned)
                nodes.Add(planned.Node);
        }
        if (nodes.Count == 0)
            return [];
        Ip[] sorted = [.. nodes.Order()];
        var paths = ImmutableArray.CreateBuilder<NodePath>(sorted.Length);
        _request.Clear();
        foreach (Ip node in sorted)
            LookupMessages.AskPath(_request, node, socket.NextSequence());
        socket.Ask("look up the paths to nodes", _request, (index, payload) =>
        {
            if (!LookupMessages.TryDecodePath(payload, out int link, out int mtu))
                return;
            int ofLink = interfaces.FirstOrDefault(i => i.Index == link)?.Mtu ?? 0;
            // A route may say more than its interface can send.
            if (ofLink > 0)
                paths.Add(new(sorted[index], mtu > 0 ? Math.Min(mtu, ofLink) : ofLink, link));
        });
        return paths.DrainToImmutable();
    }

    private void Dump(string what, Action<NetlinkWriter, uint> encode, Action restart, NetlinkMessageHandler onMessage)
    {
        _request.Clear();
        encode(_request, socket.NextSequence());
        socket.Dump(what, _request, restart, onMessage);
    }

    private ImmutableArray<ProtectedAddress> ProtectedAddresses(IEnumerable<Ip> gateways, IReadOnlyList<Ip> apiServers) =>
    [
        .. gateways.Select(g => new ProtectedAddress(g, ProtectedRole.Gateway)),
        .. ResolvConf.Read(options.ResolvConf).Select(r => new ProtectedAddress(r, ProtectedRole.Resolver)),
        .. apiServers.Select(a => new ProtectedAddress(a, ProtectedRole.ApiServer)),
    ];

    // The kernel's order is usually this one.
    private static void SortByKey(List<HostRoute> routes)
    {
        ReadOnlySpan<HostRoute> all = CollectionsMarshal.AsSpan(routes);
        for (int i = 1; i < all.Length; i++)
        {
            if (all[i - 1].Key.CompareTo(all[i].Key) <= 0)
                continue;
            routes.Sort((a, b) => a.Key.CompareTo(b.Key));
            return;
        }
    }

    // While routes change, the kernel restarts an IPv6 dump and sends routes twice, without NLM_F_DUMP_INTR
    // (fib6_dump_table). The second of two HostGw routes with the same key would be deleted as superfluous.
    private static void RemoveRepeated(List<HostRoute> routes)
    {
        Span<HostRoute> all = CollectionsMarshal.AsSpan(routes);
        int kept = 0;
        for (int i = 0; i < all.Length; i++)
        {
            int same = kept - 1;
            while (same >= 0 && all[same].Key == all[i].Key && all[same] != all[i])
                same--;
            if (same >= 0 && all[same].Key == all[i].Key)
                continue;
            if (kept < i)
                all[kept] = all[i];
            kept++;
        }
        routes.RemoveRange(kept, routes.Count - kept);
    }
}

/// <summary>Reads the DNS resolvers that this host uses.</summary>
/// <remarks>https://man7.org/linux/man-pages/man5/resolv.conf.5.html</remarks>
internal static class ResolvConf
{
    private const int MaxLines = 1000;

    /// <summary>Empty if the file cannot be read.</summary>
    public static IReadOnlyList<Ip> Read(string path)
    {
        try
        {
            return Parse(File.ReadLines(path).Take(MaxLines));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    public static IReadOnlyList<Ip> Parse(IEnumerable<string> lines)
    {
        List<Ip> resolvers = [];
        foreach (string line in lines)
        {
            string[] words = line.Split((char[]?)null, 3, StringSplitOptions.RemoveEmptyEntries);
            // A link-local address has a zone.
            if (words is ["nameserver", var address, ..] && Ip.TryParse(address.AsSpan(0, ZoneStart(address)), out Ip ip))
                resolvers.Add(ip);
        }
        return resolvers;
    }

    private static int ZoneStart(string address) => address.IndexOf('%') is >= 0 and int zone ? zone : address.Length;
}
