using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Rtnetlink;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux;

/// <summary>The kernel's neighbour table, and on request what it says when asked anew.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxNeighbours(TimeProvider time) : IDisposable
{
    // A neighbour that was known is believed for 5 s, and then asked for 3 s.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly NetlinkSocket _socket = new(NETLINK_ROUTE);
    private readonly NetlinkWriter _request = new();

    /// <summary>What is known of these, without asking anybody.</summary>
    /// <exception cref="NetlinkException">The kernel refused, or stayed silent.</exception>
    public IReadOnlyList<NeighbourEntry> Read(IReadOnlySet<Neighbour> wanted) => [.. States(wanted).Select(s => s.Entry)];

    /// <summary>Asks for each, and waits until each has answered or was given up.</summary>
    /// <inheritdoc cref="Read"/>
    public async Task<IReadOnlyList<NeighbourEntry>> ProbeAsync(IReadOnlySet<Neighbour> wanted, CancellationToken cancellationToken)
    {
        _request.Clear();
        foreach (Neighbour neighbour in wanted)
            NeighbourMessages.Use(_request, neighbour, _socket.NextSequence());
        // One that is refused (a full table) is not there afterwards, and so not known.
        _socket.Execute("probe next hops", _request, static (_, _) => { });

        long start = time.GetTimestamp();
        while (true)
        {
            (NeighbourEntry Entry, ushort State)[] states = [.. States(wanted)];
            bool isOver = time.GetElapsedTime(start) > Patience;
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
            if (NeighbourMessages.TryDecode(payload, out Neighbour neighbour, out ushort state, out string mac) && wanted.Contains(neighbour))
                found.Add((new(neighbour.Address, neighbour.Interface, mac) { IsUnanswered = (state & NUD_FAILED) != 0, IsFixed = (state & NUD_PERMANENT) != 0 }, state));
        });
        return found;
    }
}
