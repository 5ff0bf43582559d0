using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Rtnetlink;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux;

/// <summary>Reads and changes the local routes of probe addresses, and finds what takes their packets.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxProbeAddress(NetlinkSocket socket, byte protocol)
{
    private readonly NetlinkWriter _request = new();

    /// <summary>The routes of table local with HostGw's protocol number, and those of other programs.</summary>
    public (ImmutableArray<ProbeRoute> Ours, ImmutableArray<ForeignLocalRoute> Foreign) Read()
    {
        // The kernel's are passed over: the host may have thousands of addresses.
        List<LocalRoute> routes = [.. Read(AF_INET, static r => !r.IsOfKernel), .. Read(AF_INET6, static r => !r.IsOfKernel)];
        return (
            [.. from route in routes where route.Protocol == protocol select route.Route],
            [.. from route in routes where route.IsForeign(protocol) select Foreign(route)]);
    }

    /// <summary>
    /// Deletions are made first: a route to add may have the key of one to delete. A foreign route in the place of one is left, and
    /// prevents it.
    /// </summary>
    /// <returns>What takes the addresses' packets.</returns>
    public IReadOnlyList<ProbeObstacle> Apply(ProbeRouteChanges changes, ImmutableArray<Ip> desired, bool writes, Attempts attempts)
    {
        ProbeObstacle[] obstacles = [.. desired.Select(ObstacleTo).OfType<ProbeObstacle>()];
        if (!writes)
            return obstacles;
        foreach (ProbeRoute route in changes.Delete)
        {
            Execute(attempts, $"delete the local route {route.Destination} of a probe address", () =>
                LocalRouteMessages.Delete(_request, route, protocol, socket.NextSequence()));
        }
        foreach (Ip address in changes.Without(obstacles).Add)
        {
            Execute(attempts, $"add the local route of probe address {address}", () =>
                LocalRouteMessages.Add(_request, address, protocol, socket.NextSequence()));
        }
        return obstacles;
    }

    private ProbeObstacle? ObstacleTo(Ip address)
    {
        if (IsForThisHost(address))
            return null;
        // HostGw's comes before the kernel's broadcast entry.
        List<LocalRoute> inPlace = Read(address.IsIPv4 ? AF_INET : AF_INET6, r =>
            r.Protocol != protocol && r.Route.Destination == Prefix.Host(address) &&
            r.Type != RTN_BROADCAST && !LocalRoute.IsForThisHost(r.Type));
        return inPlace is [var route, ..] ? new(address, Describe(route), Removal(address, route)) : null;
    }

    private bool IsForThisHost(Ip address)
    {
        byte type = 0;
        _request.Clear();
        LocalRouteMessages.Ask(_request, address, socket.NextSequence());
        try
        {
            socket.Dump("look up a probe address", _request, static () => { }, (_, payload) => type = LocalRouteMessages.TypeOf(payload));
        }
        catch (NetlinkException)
        {
            return false; // no route at all, or one that drops packets
        }
        return LocalRoute.IsForThisHost(type);
    }

    private List<LocalRoute> Read(byte family, Predicate<LocalRoute> wanted)
    {
        List<LocalRoute> routes = [];
        _request.Clear();
        LocalRouteMessages.Dump(_request, family, socket.NextSequence());
        try
        {
            socket.Dump("list local routes", _request, routes.Clear, (_, payload) =>
            {
                if (LocalRouteMessages.TryDecode(payload, out LocalRoute route) && wanted(route))
                    routes.Add(route);
            });
        }
        catch (NetlinkException e) when (e.IsNotFound)
        {
            // A network namespace without any address has no such table.
        }
        return routes;
    }

    private static ForeignLocalRoute Foreign(LocalRoute route) =>
        new(route.TypeName, route.Route.Destination, route.Route.Tos, route.Route.Interface, route.Protocol);

    private static string Describe(LocalRoute route) =>
        $"the {route.TypeName} route {route.Route.Destination} of protocol {RouteProtocols.Name(route.Protocol)} in table local";

    private static string Removal(Ip address, LocalRoute route) =>
        $"ip {(address.IsIPv6 ? "-6 " : "")}route del {route.TypeName} {address} table local proto {route.Protocol}";

    private void Execute(Attempts attempts, string what, Action encode) => attempts.Try(HostPart.ProbeAddress, what, wanted: true, () =>
    {
        _request.Clear();
        encode();
        NetlinkException? refusal = null;
        socket.Execute(what, _request, (_, error) => refusal = error);
        if (refusal is { IsNotFound: false } and not { Errno: Errno.EEXIST })
            throw refusal;
    });
}
