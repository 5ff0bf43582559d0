using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Status;

/// <summary>Whether the route to a destination stands after a pass.</summary>
internal sealed class RouteStates(PassReport report)
{
    private readonly Dictionary<Prefix, string> _failed = report.Failures.Where(f => f is { Part: HostPart.Routes, Route: not null })
        .DistinctBy(f => f.Route!.Value.Destination).ToDictionary(f => f.Route!.Value.Destination, f => f.Error.Message);
    private readonly Dictionary<Prefix, string> _conflicting = report.Routes.Conflicts
        .DistinctBy(c => c.Route.Destination).ToDictionary(c => c.Route.Destination, Problems.Obstacle);
    private readonly HashSet<Prefix> _held = [.. report.HeldBack.Select(r => r.Destination)];

    /// <summary>installed, failed, conflict, missing, or "held" while our own node is not in order.</summary>
    public string Of(Prefix destination) =>
        report.Plan?.Scope == PlanScope.Nothing ? "held"
        : _failed.ContainsKey(destination) ? "failed"
        : _conflicting.ContainsKey(destination) ? "conflict"
        : _held.Contains(destination) ? "missing"
        : "installed";

    /// <summary>Why it does not stand, for a person; empty where nothing needs saying.</summary>
    public string Why(Prefix destination) =>
        _failed.GetValueOrDefault(destination) ?? _conflicting.GetValueOrDefault(destination) ?? "";
}
