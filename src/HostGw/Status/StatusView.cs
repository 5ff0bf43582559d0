using System.Collections.Immutable;
using HostGw.Reconciliation;

namespace HostGw.Status;

/// <summary>What is known after a pass.</summary>
/// <param name="Notes">Newest first, at most <see cref="PassNotes.Most"/>.</param>
/// <param name="ReadySince">Since when this host is ready, or is not; null before the first pass.</param>
internal sealed record StatusView(
    PassReport? Last, StatusCounters Counters, PeerStates Peers, ImmutableArray<PassNote> Notes, DateTimeOffset? ReadySince);
