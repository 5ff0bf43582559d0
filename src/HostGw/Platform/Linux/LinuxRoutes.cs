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
    public void Apply(RouteChanges changes, List<HostFailure> failures)
    {
        Begin();
        foreach (PodRoute route in changes.Add)
        {
            _keys.Add(route.Key);
            RouteEncoder.Add(_batch, route, protocol, socket.NextSequence());
        }
        Execute(HostPart.Routes, "add route", failures);

        Begin();
        foreach (RouteCorrection correction in changes.Replace)
        {
            _keys.Add(correction.Route.Key);
            RouteEncoder.Replace(_batch, correction.Route, protocol, socket.NextSequence());
        }
        Execute(HostPart.Routes, "replace route", failures);

        Begin();
        foreach (HostRoute route in changes.Delete)
        {
            _keys.Add(route.Key);
            RouteEncoder.Delete(_batch, route, socket.NextSequence());
        }
        Execute(HostPart.Routes, "delete route", failures, absenceIsSuccess: true);
    }

    public void Forget(IReadOnlyList<Neighbour> neighbours, List<HostFailure> failures)
    {
        Begin();
        foreach (Neighbour neighbour in neighbours)
        {
            _keys.Add(new(Prefix.Host(neighbour.Address), 0));
            NeighbourMessages.Delete(_batch, neighbour, socket.NextSequence());
        }
        Execute(HostPart.Neighbours, "forget neighbour", failures, absenceIsSuccess: true);
    }

    private void Begin()
    {
        _batch.Clear();
        _keys.Clear();
    }

    private void Execute(HostPart part, string what, List<HostFailure> failures, bool absenceIsSuccess = false)
    {
        HashSet<int> refused = [];
        try
        {
            socket.Execute(what, _batch, (index, error) =>
            {
                if (refused.Add(index) && (!absenceIsSuccess || !error.IsNotFound))
                    Fail(index, error);
            });
        }
        catch (NetlinkException e)
        {
            // The exchange itself failed: of no message without a refusal is it known whether it was carried out.
            foreach (int index in Enumerable.Range(0, _keys.Count).Where(i => !refused.Contains(i)))
                Fail(index, e);
        }

        void Fail(int index, NetlinkException error) =>
            failures.Add(new(part, $"{what} {_keys[index].Destination}", _keys[index], error));
    }
}
