using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Rtnetlink;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux;

/// <summary>Reads links, addresses and routes: one dump of each, whatever their number; none where it is known what they would tell.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxHostReader(NetlinkSocket socket, RouteNews news, LinuxHostOptions options)
{
    private const int OfOthers = 256;

    // To find the places of more takes as long as a dump.
    private const int Few = 16;

    private readonly NetlinkWriter _request = new();
    private readonly List<HostRoute> _routes = [];
    private readonly HashSet<string> _learning = [];
    private IEnumerable<Ip> _gateways = [];
    private HostState? _known;
    private RouteChanges? _done;
    private long _heard;
    private bool _isSure;

    /// <summary>How many routes of ours the next pass will read: a list that doubles leaves as much again behind.</summary>
    public void Expect(int routes)
    {
        if (_routes.Capacity < routes)
            _routes.EnsureCapacity(routes + OfOthers);
    }

    /// <summary>Our own changes, which are announced to nobody here.</summary>
    /// <param name="failures">Of these, and perhaps of other things.</param>
    public void Did(HostChanges changes, IReadOnlyList<HostFailure> failures)
    {
        RouteChanges routes = changes.Routes;
        bool isClear = routes.Replace.Count == 0 && routes.Add.Count + routes.Delete.Count <= Few && routes.Delete.All(r => r.Destination.Length > 0) &&
            changes is { EnableForwardingIPv4: false, EnableForwardingIPv6: false, AcceptRa.Count: 0 } && failures.All(f => f.Part != HostPart.Routes);
        // The pass still goes by what it read.
        (_known, _done) = isClear ? (_known, routes) : (null, null);
    }

    /// <exception cref="NetlinkException">The kernel refused, or stayed silent.</exception>
    public HostState Read(Ip apiServer, bool anew)
    {
        if (!anew && _known is not null && _isSure && _heard == news.Heard)
            Follow(_done);
        else
            ReadTables();
        _done = null;
        return _known! with { Protected = Protect(_gateways, apiServer), Forwarding = options.ProcSysNet.ReadForwarding() };
    }

    private void ReadTables()
    {
        _known = null;
        // Before the dumps: what is announced meanwhile may be missing in them. And the kernel announces some things a moment
        // before it has done them, as that a link is down before its routes go: only the second dump after the news is sure.
        long heard = news.Heard;
        (_isSure, _heard) = (heard == _heard, heard);
        RouteDecoder decoder = new(options.RouteProtocol);
        _routes.Clear();
        ReadRoutes(AF_INET, decoder, _routes);
        ReadRoutes(AF_INET6, decoder, _routes);
        SortByKey(_routes);
        RemoveRepeated(_routes);
        _gateways = decoder.Gateways;
        _known = new() { Interfaces = MarkLearning(ReadInterfaces()), Addresses = ReadAddresses(), Routes = _routes };
    }

    private void Follow(RouteChanges? done)
    {
        foreach (HostRoute route in done?.Delete ?? [])
            _routes.Remove(route);
        foreach (PodRoute route in done?.Add ?? [])
            _routes.Insert(_routes.FindLastIndex(r => r.Key.CompareTo(route.Key) < 0) + 1, route.InstalledBy(options.RouteProtocol));
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

    // By name: an interface that is unplugged loses its routes, and comes back with another index.
    private ImmutableArray<HostInterface> MarkLearning(ImmutableArray<HostInterface> interfaces)
    {
        foreach (int index in _routes.Where(r => r.Protocol == RTPROT_RA).Select(r => r.Interface).Distinct())
            _learning.UnionWith(interfaces.Where(i => i.Index == index).Select(i => i.Name));
        return [.. interfaces.Select(i => _learning.Contains(i.Name) ? i with { HasLearntRoute = true } : i)];
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
            // A namespace that never had a route in table main has no table main.
        }
    }

    private void Dump(string what, Action<NetlinkWriter, uint> encode, Action restart, NetlinkMessageHandler onMessage)
    {
        _request.Clear();
        encode(_request, socket.NextSequence());
        socket.Dump(what, _request, restart, onMessage);
    }

    private ImmutableArray<ProtectedAddress> Protect(IEnumerable<Ip> gateways, Ip apiServer)
    {
        IEnumerable<ProtectedAddress> addresses = gateways.Select(g => new ProtectedAddress(g, ProtectedRole.Gateway))
            .Concat(ResolvConf.Read(options.ResolvConf).Select(r => new ProtectedAddress(r, ProtectedRole.Resolver)));
        return apiServer.IsNone ? [.. addresses] : [.. addresses, new(apiServer, ProtectedRole.ApiServer)];
    }

    // The kernel's order is nearly this one already.
    private static void SortByKey(List<HostRoute> routes)
    {
        for (int i = 1; i < routes.Count; i++)
        {
            if (routes[i - 1].Key.CompareTo(routes[i].Key) <= 0)
                continue;
            routes.Sort((a, b) => a.Key.CompareTo(b.Key));
            return;
        }
    }

    // While others change routes, an IPv6 dump begins anew inside the kernel and tells the same routes again, without
    // NLM_F_DUMP_INTR (fib6_dump_table). Two of ours on one key would read as one too many, and one be deleted.
    private static void RemoveRepeated(List<HostRoute> routes)
    {
        int kept = 0;
        for (int i = 0; i < routes.Count; i++)
        {
            int same = kept - 1;
            while (same >= 0 && routes[same] != routes[i] && routes[same].Key == routes[i].Key)
                same--;
            if (same < 0 || routes[same] != routes[i])
                routes[kept++] = routes[i];
        }
        routes.RemoveRange(kept, routes.Count - kept);
    }
}
