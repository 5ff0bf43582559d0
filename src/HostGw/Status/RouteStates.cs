using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Status;

/// <summary>Whether the route to a destination stands after a pass.</summary>
internal sealed class RouteStates(PassReport report)
{
    private readonly HashSet<Prefix> _failed = [.. report.Failures.Where(f => f.Part == HostPart.Routes).Select(f => f.Route?.Destination).OfType<Prefix>()];
    private readonly HashSet<Prefix> _conflicting = [.. report.Routes.Conflicts.Select(c => c.Route.Destination)];
    private readonly HashSet<Prefix> _held = [.. report.HeldBack.Select(r => r.Destination)];

    /// <summary>installed, failed, conflict, missing, or "held" while our own node is not in order.</summary>
    public string Of(Prefix destination) =>
        report.Plan?.Scope == PlanScope.Nothing ? "held"
        : _failed.Contains(destination) ? "failed"
        : _conflicting.Contains(destination) ? "conflict"
        : _held.Contains(destination) ? "missing"
        : "installed";
}
