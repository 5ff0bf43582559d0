using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Rtnetlink;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux;

/// <summary>Changes routes and deletes neighbours, many in one send.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxRoutes(NetlinkSocket socket, byte protocol)
{
    private const int RoutesPerScope = 100;

    private readonly NetlinkWriter _batch = new();

    /// <summary>Additions and replacements first: a podCIDR that moves to another node is never without a route.</summary>
    public void Apply(RouteChanges changes, List<HostFailure> failures)
    {
        Execute(
            HostPart.Routes, "add route", changes.Add, r => r.Key,
            (r, index) => RouteEncoder.Add(_batch, r, protocol, socket.NextSequence(), ScopeOf(index)), failures);
        Execute(
            HostPart.Routes, "replace route", changes.Replace, c => c.Route.Key,
            (c, index) => RouteEncoder.Replace(_batch, c.Route, protocol, socket.NextSequence(), ScopeOf(index)), failures);
        Execute(
            HostPart.Routes, "delete route", changes.Delete, r => r.Key,
            (r, _) => RouteEncoder.Delete(_batch, r, socket.NextSequence()), failures, absenceIsSuccess: true);
    }

    public void DeleteNeighbours(IReadOnlyList<Neighbour> neighbours, List<HostFailure> failures) => Execute(
        HostPart.Neighbours, "forget neighbour", neighbours, n => new(Prefix.Host(n.Address), 0),
        (n, _) => NeighbourMessages.Delete(_batch, n, socket.NextSequence()), failures, absenceIsSuccess: true);

    // To add an IPv4 route the kernel searches one with the same next hop in a hash over protocol, scope, metric and interface,
    // but not over the address (fib_find_info): thousands of routes over one interface would be in one hash chain. For packets
    // all scopes below site mean the same. The first hundred routes have the usual one.
    private static byte ScopeOf(int index) => (byte)(index / RoutesPerScope % RT_SCOPE_SITE);

    private void Execute<T>(
        HostPart part, string what, IReadOnlyList<T> changes, Func<T, RouteKey> keyOf, Action<T, int> encode,
        List<HostFailure> failures, bool absenceIsSuccess = false)
    {
        HashSet<int> refused = [];
        int first = 0;
        try
        {
            for (; first < changes.Count; first += _batch.Count)
            {
                _batch.Clear();
                for (int i = first; i < changes.Count && _batch.Count < NetlinkSocket.MessagesPerSend; i++)
                    encode(changes[i], i);
                socket.Execute(what, _batch, (index, error) =>
                {
                    if (refused.Add(first + index) && (!absenceIsSuccess || !error.IsNotFound))
                        Fail(first + index, error);
                });
            }
        }
        catch (NetlinkException e)
        {
            // The exchange itself failed: the result of the messages from here on is unknown, except for those refused.
            foreach (int index in Enumerable.Range(first, changes.Count - first).Where(i => !refused.Contains(i)))
                Fail(index, e);
        }

        void Fail(int index, NetlinkException error)
        {
            RouteKey key = keyOf(changes[index]);
            failures.Add(new(part, $"{what} {key.Destination}", key, error));
        }
    }
}
