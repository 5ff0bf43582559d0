using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>
/// The planner, which returns its last plan while nothing changed that a plan depends on. A pass without changes over 65,536 routes
/// would miss its budget (docs/performance.md) if it planned all nodes again.
/// </summary>
internal sealed class PlanMemory(Policy policy)
{
    private ImmutableArray<ClusterNode> _nodes;
    private HostState _host = new();
    private Plan? _plan;

    /// <inheritdoc cref="Planner.Plan"/>
    public Plan Plan(ImmutableArray<ClusterNode> nodes, HostState host)
    {
        if (_plan is { } last && nodes == _nodes && IsAlike(host, last))
            return last;
        _plan = Planner.Plan(nodes, host, policy);
        _nodes = nodes;
        _host = host with { Routes = [] };
        return _plan;
    }

    // Of the host's routes only those matter that choose an interface or the route to the API server.
    private bool IsAlike(HostState host, Plan last)
    {
        ClusterNode? self = Planner.Self(_nodes, policy);
        return host.Addresses.AsSpan().SequenceEqual(_host.Addresses.AsSpan()) &&
            host.Interfaces.AsSpan().SequenceEqual(_host.Interfaces.AsSpan()) &&
            host.Protected.AsSpan().SequenceEqual(_host.Protected.AsSpan()) &&
            (host.MetricIPv4, host.MetricIPv6) == (_host.MetricIPv4, _host.MetricIPv6) &&
            host.Windows == _host.Windows &&
            InterfaceChoice.For(ipv6: false, policy, host, self) == last.InterfaceIPv4 &&
            InterfaceChoice.For(ipv6: true, policy, host, self) == last.InterfaceIPv6 &&
            ApiServerRoute.For(policy, host, last.InterfaceIPv4) == last.ApiServerRoute;
    }
}
