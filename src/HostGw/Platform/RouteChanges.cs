using HostGw.Planning;

namespace HostGw.Platform;

/// <summary>The smallest set of changes that turns the routes that stand into those that should.</summary>
internal sealed record RouteChanges
{
    public List<PodRoute> Add { get; } = [];

    public List<RouteCorrection> Replace { get; } = [];

    public List<HostRoute> Delete { get; } = [];

    /// <summary>Routes that should stand and cannot, because somebody else's route holds their place.</summary>
    public List<RouteConflict> Conflicts { get; } = [];

    /// <summary>Not everything can be done at once: another pass must follow this one.</summary>
    public bool IsUnfinished { get; set; }

    /// <summary>Leaves what the host took.</summary>
    public void RemoveRefused(IReadOnlySet<RouteKey> refused)
    {
        Add.RemoveAll(r => refused.Contains(r.Key));
        Replace.RemoveAll(c => refused.Contains(c.Route.Key));
        Delete.RemoveAll(r => refused.Contains(r.Key));
    }

    /// <summary>What lasts beyond the pass: the conflicts.</summary>
    public RouteChanges Standing()
    {
        RouteChanges standing = new() { IsUnfinished = IsUnfinished };
        standing.Conflicts.AddRange(Conflicts);
        return standing;
    }

    public bool IsEmpty => Add.Count == 0 && Replace.Count == 0 && Delete.Count == 0;
}

/// <summary>A route that stands, and the one that takes its place.</summary>
internal readonly record struct RouteCorrection(PodRoute Route, HostRoute Instead, CorrectionCause Cause);

internal enum CorrectionCause
{
    /// <summary>Ours, but the plan has changed, or somebody changed it and kept our mark.</summary>
    Differs,

    /// <summary>Ours until somebody replaced it by hand.</summary>
    Overwritten,

    /// <summary>Somebody else's that does what ours would do.</summary>
    Adopted,
}

/// <summary>A route that should stand, and somebody else's that stands in its place.</summary>
internal readonly record struct RouteConflict(PodRoute Route, HostRoute Foreign);
