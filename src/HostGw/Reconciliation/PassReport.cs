using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>What one pass saw, wanted, did and could not do.</summary>
internal sealed record PassReport
{
    public DateTimeOffset At { get; init; }

    public TimeSpan Elapsed { get; init; }

    public WakeCauses Causes { get; init; }

    public string ResourceVersion { get; init; } = "";

    /// <summary>Null where the host could not be read.</summary>
    public Plan? Plan { get; init; }

    /// <summary>What was done to routes, without what the host refused; and the conflicts.</summary>
    public RouteChanges Routes { get; init; } = new();

    /// <summary>When the nodes of the plan were saved; null where they came from the API server since the start.</summary>
    public DateTimeOffset? NodesSavedAt { get; init; }

    /// <summary>Removals that wait until the nodes are read by quorum; null: none do.</summary>
    public HeldRemovals? HeldRemovals { get; init; }

    /// <summary>Repairs put off because somebody keeps undoing them.</summary>
    public IReadOnlyList<PodRoute> HeldBack { get; init; } = [];

    /// <summary>When the first of what was put off may be made; null where there is none.</summary>
    public TimeSpan? HeldBackFor { get; init; }

    /// <summary>Routes that somebody keeps changing, whether or not this pass had to repair them.</summary>
    public IReadOnlyList<ContestedRoute> Contested { get; init; } = [];

    /// <summary>What of our rules somebody keeps undoing, and who; null: nothing.</summary>
    public string? ContestedRules { get; init; }

    /// <summary>Repairs of our rules put off for that.</summary>
    public HeldRules HeldRules { get; init; }

    /// <summary>When those may be made; null where there are none.</summary>
    public TimeSpan? HeldRulesFor { get; init; }

    /// <summary>What was done to the masquerade rule, in words; empty: nothing.</summary>
    public string NatChange { get; init; } = "";

    /// <summary>What keeps the masquerade rule; null where there is none.</summary>
    public NatBackendChoice? NatBackend { get; init; }

    /// <summary>What was done to chain FORWARD, in words; empty: nothing.</summary>
    public string ForwardChange { get; init; } = "";

    /// <summary>What was done to the CNI configuration, in words; empty: nothing.</summary>
    public string CniChange { get; init; } = "";

    /// <summary>The CNI configuration that pods get their interfaces by, as far as it is known.</summary>
    public CniStanding? Cni { get; init; }

    /// <summary>What was done over and over to our CNI configuration because somebody keeps undoing it; null: nothing.</summary>
    public string? ContestedCni { get; init; }

    /// <summary>What of others keeps pods' packets from passing or from keeping their address, with the cure.</summary>
    public IReadOnlyList<string> Obstacles { get; init; } = [];

    /// <summary>What of the changes nobody had asked for.</summary>
    public Repairs Repairs { get; init; }

    public IReadOnlyList<HostFailure> Failures { get; init; } = [];

    /// <summary>Forwarding as it stands after the pass.</summary>
    public ForwardingState Forwarding { get; init; }

    public bool ForwardingChanged { get; init; }

    /// <summary>Settings of router advertisements that were changed.</summary>
    public IReadOnlyList<AcceptRaChange> AcceptRa { get; init; } = [];

    /// <summary>How many changing netlink requests the pass sent.</summary>
    public long NetlinkWrites { get; init; }

    /// <summary>Why this report no longer says how the host is; null: passes go on. Set when it is asked for.</summary>
    public string? Overdue { get; init; }

    public bool Changed => !Routes.IsEmpty || NatChange.Length > 0 || ForwardChange.Length > 0 || CniChange.Length > 0 || ForwardingChanged || AcceptRa.Count > 0;

    /// <summary>The next pass should not wait for news.</summary>
    public bool IsUnfinished => Failures.Count > 0 || Routes.IsUnfinished;
}
