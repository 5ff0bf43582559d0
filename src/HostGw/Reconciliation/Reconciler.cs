using System.Diagnostics;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>One pass: read the host, plan, compare, apply, record. Knows nothing of when.</summary>
internal sealed class Reconciler(IHostNetwork host, Policy policy, AdoptMode adopt, TimeProvider time)
{
    private readonly RouteLedger _ledger = new();
    private readonly RepairBrake _brake = new(time);
    private readonly PodCidrOwners _owners = new();
    private Plan? _previous;

    /// <param name="nodes">A complete snapshot: an empty one would mean that every peer is gone.</param>
    /// <param name="apiServer">The address that the API client is connected to.</param>
    public PassReport Run(NodeSnapshot nodes, Ip apiServer, WakeCauses causes)
    {
        DateTimeOffset at = time.GetUtcNow();
        long start = Stopwatch.GetTimestamp();
        try
        {
            PassReport report = Run(nodes, host.Read(apiServer));
            return report with { At = at, Elapsed = Stopwatch.GetElapsedTime(start), Causes = causes, ResourceVersion = nodes.ResourceVersion };
        }
        catch (HostNetworkException e)
        {
            return new() { At = at, Elapsed = Stopwatch.GetElapsedTime(start), Causes = causes, Failures = [new("read the host", null, e)] };
        }
    }

    private PassReport Run(NodeSnapshot nodes, HostState state)
    {
        Plan plan = Planner.Plan(nodes.Nodes, state, policy);
        HostChanges changes = HostDiff.Between(plan, state, _ledger.Keys, adopt) with { ForgetNeighbours = _owners.Update(plan) };
        RouteChanges routes = changes.Routes;
        List<PodRoute> heldBack = _brake.HoldBack(routes, _ledger.Keys, _previous);
        ApplyResult result = host.Apply(changes, state);

        _ledger.Remember(plan, state.Routes, routes, result.Failures);
        _previous = plan;
        host.Expect(plan);
        return new()
        {
            At = default,
            Elapsed = default,
            Causes = default,
            Plan = plan,
            Routes = routes,
            HeldBack = heldBack,
            NatChange = result.NatChange,
            Failures = result.Failures,
            Forwarding = state.Forwarding,
            ForwardingChanged = changes.EnableForwardingIPv4 || changes.EnableForwardingIPv6,
        };
    }
}
