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
    // See ScopeStep.
    private const int RoutesPerScope = 100;

    private static readonly Operation<PodRoute> Add = new(HostPart.Routes, "add route", r => r.Key);
    private static readonly Operation<RouteCorrection> Replace = new(HostPart.Routes, "replace route", c => c.Route.Key);
    private static readonly Operation<HostRoute> Delete = new(HostPart.Routes, "delete route", r => r.Key, AbsenceIsSuccess: true);
    private static readonly Operation<Neighbour> DeleteNeighbour =
        new(HostPart.Neighbours, "forget neighbour", n => new(Prefix.Host(n.Address), 0), AbsenceIsSuccess: true);

    private readonly NetlinkWriter _batch = new();

    /// <summary>Additions and replacements are made first: a podCIDR that moves to another node is never without a route.</summary>
    public void Apply(RouteChanges changes, List<HostFailure> failures)
    {
        Execute(Add, changes.Add, failures, (r, index) =>
            RouteEncoder.Add(_batch, r, protocol, socket.NextSequence(), ScopeStep(index)));
        Execute(Replace, changes.Replace, failures, (c, index) =>
            RouteEncoder.Replace(_batch, c.Route, protocol, socket.NextSequence(), ScopeStep(index)));
        Execute(Delete, changes.Delete, failures, (r, _) => RouteEncoder.Delete(_batch, r, socket.NextSequence()));
    }

    public void DeleteNeighbours(IReadOnlyList<Neighbour> neighbours, List<HostFailure> failures) =>
        Execute(DeleteNeighbour, neighbours, failures, (n, _) => NeighbourMessages.Delete(_batch, n, socket.NextSequence()));

    // To add an IPv4 route the kernel searches one with the same next hop in a hash over protocol, scope, metric and interface,
    // but not over the address or the encapsulation (fib_find_info): thousands of routes over one interface would be in one hash
    // chain. For packets all scopes below site mean the same, and without a gateway, as of a tunnelled route, all up to link. The
    // first hundred routes have the usual one.
    private static byte ScopeStep(int index) => (byte)(index / RoutesPerScope % RT_SCOPE_SITE);

    /// <param name="encode">Appends the change with this index to the batch.</param>
    private void Execute<T>(Operation<T> operation, IReadOnlyList<T> changes, List<HostFailure> failures, Action<T, int> encode)
    {
        // Batches of one send each: if one cannot be sent, those before it are known to be done.
        HashSet<int> refused = [];
        int first = 0;
        try
        {
            for (; first < changes.Count; first += _batch.Count)
            {
                _batch.Clear();
                for (int i = first; i < changes.Count && _batch.Count < NetlinkSocket.MessagesPerSend; i++)
                    encode(changes[i], i);
                socket.Execute(operation.What, _batch, (index, error) =>
                {
                    if (refused.Add(first + index) && (!operation.AbsenceIsSuccess || !error.IsNotFound))
                        failures.Add(operation.Failure(changes[first + index], error));
                });
            }
        }
        catch (NetlinkException e)
        {
            // The exchange itself failed: the result of the messages from here on is unknown, except for those refused.
            IEnumerable<int> unknown = Enumerable.Range(first, changes.Count - first).Where(i => !refused.Contains(i));
            failures.AddRange(unknown.Select(i => operation.Failure(changes[i], e)));
        }
    }

    /// <param name="What">In words.</param>
    private sealed record Operation<T>(HostPart Part, string What, Func<T, RouteKey> KeyOf, bool AbsenceIsSuccess = false)
    {
        public HostFailure Failure(T change, NetlinkException error)
        {
            RouteKey key = KeyOf(change);
            return new(Part, $"{What} {key.Destination}", key, error);
        }
    }
}

/// <summary>Reads the kernel's neighbour table, and has the kernel resolve addresses again.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxNeighbours(TimeProvider time) : IDisposable
{
    // The kernel trusts a known neighbour for 5 s, and then probes it for 3 s.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly NetlinkSocket _socket = new(NETLINK_ROUTE);
    private readonly NetlinkWriter _request = new();

    /// <summary>The entries of these neighbours, without probing.</summary>
    /// <exception cref="NetlinkException">The kernel refused, or did not answer.</exception>
    public IReadOnlyList<NeighbourEntry> Read(IReadOnlySet<Neighbour> wanted) => [.. States(wanted).Select(s => s.Entry)];

    /// <summary>Has the kernel probe each neighbour, and waits until each answered or failed.</summary>
    /// <inheritdoc cref="Read"/>
    public async Task<IReadOnlyList<NeighbourEntry>> ProbeAsync(IReadOnlySet<Neighbour> wanted, CancellationToken cancellationToken)
    {
        _request.Clear();
        foreach (Neighbour neighbour in wanted)
            NeighbourMessages.Use(_request, neighbour, _socket.NextSequence());
        // A refused one (the table is full) has no entry afterwards.
        _socket.Execute("probe next hops", _request, static (_, _) => { });

        long start = time.GetTimestamp();
        while (true)
        {
            (NeighbourEntry Entry, ushort State)[] states = [.. States(wanted)];
            bool isOver = time.GetElapsedTime(start) > Timeout;
            if (isOver || states.All(s => (s.State & (NUD_REACHABLE | NUD_FAILED | NUD_NOARP | NUD_PERMANENT)) != 0))
                return [.. states.Select(s => s.Entry with { IsUnanswered = s.Entry.IsUnanswered || (s.State & NUD_INCOMPLETE) != 0 })];
            await Task.Delay(Interval, time, cancellationToken);
        }
    }

    public void Dispose() => _socket.Dispose();

    private List<(NeighbourEntry Entry, ushort State)> States(IReadOnlySet<Neighbour> wanted)
    {
        List<(NeighbourEntry Entry, ushort State)> found = [];
        _request.Clear();
        NeighbourMessages.Dump(_request, _socket.NextSequence());
        _socket.Dump("list neighbours", _request, found.Clear, (_, payload) =>
        {
            bool isOne = NeighbourMessages.TryDecode(payload, out Neighbour neighbour, out ushort state, out string mac);
            if (!isOne || !wanted.Contains(neighbour))
                return;
            bool isUnanswered = (state & NUD_FAILED) != 0, isFixed = (state & NUD_PERMANENT) != 0;
            found.Add((new(neighbour.Address, neighbour.Interface, mac) { IsUnanswered = isUnanswered, IsFixed = isFixed }, state));
        });
        return found;
    }
}
