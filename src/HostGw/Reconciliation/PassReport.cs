using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>What one pass saw, wanted, did and could not do.</summary>
internal sealed record PassReport
{
    public required DateTimeOffset At { get; init; }

    public required TimeSpan Elapsed { get; init; }

    public required WakeCauses Causes { get; init; }

    public string ResourceVersion { get; init; } = "";

    /// <summary>Null where the pass ended before there was one.</summary>
    public Plan? Plan { get; init; }

    public RouteChanges Routes { get; init; } = new();

    /// <summary>Repairs put off because somebody keeps undoing them.</summary>
    public IReadOnlyList<PodRoute> HeldBack { get; init; } = [];

    /// <summary>What was done to the masquerade rule, in words; empty: nothing.</summary>
    public string NatChange { get; init; } = "";

    public IReadOnlyList<HostFailure> Failures { get; init; } = [];

    /// <summary>Forwarding as the pass found it.</summary>
    public ForwardingState Forwarding { get; init; }

    public bool ForwardingChanged { get; init; }

    public bool Changed => Plan is not null && (!Routes.IsEmpty || NatChange.Length > 0 || ForwardingChanged);

    /// <summary>The next pass should not wait for news.</summary>
    public bool IsUnfinished => Failures.Count > 0 || Routes.IsUnfinished || HeldBack.Count > 0;
}
