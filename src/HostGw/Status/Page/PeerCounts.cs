using System.Collections.Immutable;
using System.Globalization;

namespace HostGw.Status.Page;

/// <summary>How many podCIDRs are in which state, those that concern a person most first.</summary>
internal sealed record PeerCounts(ImmutableArray<(PeerState State, int Count)> Peers)
{
    private static readonly PeerState[] All = Enum.GetValues<PeerState>();

    public int Total => Peers.Sum(p => p.Count);

    public static PeerCounts Of(Standings standings)
    {
        int[] counts = new int[All.Length];
        foreach (Standing standing in standings.States)
            counts[(int)standing.State]++;
        return new([.. All.AsEnumerable().Reverse().Where(s => s != PeerState.Self && counts[(int)s] > 0).Select(s => (s, counts[(int)s]))]);
    }

    /// <summary>"1 rejected, 3 installed".</summary>
    public override string ToString() => Peers.IsEmpty ? "none" : string.Join(", ", Peers.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Count:N0} {PeerStates.NameOf(p.State)}")));
}
