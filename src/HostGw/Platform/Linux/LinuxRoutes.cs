using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Rtnetlink;

namespace HostGw.Platform.Linux;

/// <summary>Carries out changes of routes, many to a send.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxRoutes(NetlinkSocket socket, byte protocol)
{
    private readonly NetlinkWriter _batch = new();
    private readonly List<RouteKey> _keys = [];

    /// <summary>Additions and replacements first: a podCIDR that moved is never without a route.</summary>
    /// <exception cref="NetlinkException">The exchange failed as a whole.</exception>
    public void Apply(RouteChanges changes, List<HostFailure> failures)
    {
        Begin();
        foreach (PodRoute route in changes.Add)
        {
            _keys.Add(route.Key);
            RouteEncoder.Add(_batch, route, protocol, socket.NextSequence());
        }
        Execute("add route", failures);

        Begin();
        foreach (RouteCorrection correction in changes.Replace)
        {
            _keys.Add(correction.Route.Key);
            RouteEncoder.Replace(_batch, correction.Route, protocol, socket.NextSequence());
        }
        Execute("replace route", failures);

        Begin();
        foreach (HostRoute route in changes.Delete)
        {
            _keys.Add(route.Key);
            RouteEncoder.Delete(_batch, route, socket.NextSequence());
        }
        Execute("delete route", failures, absenceIsSuccess: true);
    }

    /// <exception cref="NetlinkException">The exchange failed as a whole.</exception>
    public void Forget(IReadOnlyList<Neighbour> neighbours, List<HostFailure> failures)
    {
        Begin();
        foreach (Neighbour neighbour in neighbours)
        {
            _keys.Add(new(Prefix.Host(neighbour.Address), 0));
            NeighbourMessages.Delete(_batch, neighbour, socket.NextSequence());
        }
        Execute("forget neighbour", failures, absenceIsSuccess: true);
    }

    private void Begin()
    {
        _batch.Clear();
        _keys.Clear();
    }

    private void Execute(string what, List<HostFailure> failures, bool absenceIsSuccess = false) =>
        socket.Execute(what, _batch, (index, error) =>
        {
            if (!absenceIsSuccess || !error.IsNotFound)
                failures.Add(new($"{what} {_keys[index].Destination}", _keys[index], error));
        });
}
