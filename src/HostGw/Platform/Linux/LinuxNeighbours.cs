using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Rtnetlink;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux;

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
