using HostGw.Planning;

namespace HostGw.Platform;

/// <summary>The changes of the local routes that make probe addresses this host's.</summary>
internal sealed record ProbeRouteChanges(IReadOnlyList<Ip> Add, IReadOnlyList<ProbeRoute> Delete)
{
    public static ProbeRouteChanges None { get; } = new([], []);

    public bool IsEmpty => Add.Count == 0 && Delete.Count == 0;

    /// <summary>Those whose routes change.</summary>
    public IEnumerable<Ip> Addresses => Add.Concat(Delete.Select(r => r.Destination.Address)).Distinct();

    /// <summary>Whether that local route of HostGw's is there once these changes are made to the host.</summary>
    public bool LeaveRight(Ip address, HostState host) => Add.Contains(address) || IsRight(address, host);

    public static ProbeRouteChanges Between(Plan plan, HostState host)
    {
        if (plan.Scope != PlanScope.Everything || (plan.ProbeAddresses.IsEmpty && host.ProbeRoutes.IsEmpty))
            return None;
        Ip[] add = [.. plan.ProbeAddresses.Where(a => !IsRight(a, host))];
        ProbeRoute[] delete = [.. host.ProbeRoutes.Where(r =>
            r.Destination.Length < r.Destination.Address.Bits || add.Contains(r.Destination.Address) ||
            !plan.ProbeAddresses.Contains(r.Destination.Address))];
        return add.Length == 0 && delete.Length == 0 ? None : new(add, delete);
    }

    /// <summary>Those that were made: a foreign route in the place of one prevents it.</summary>
    public ProbeRouteChanges Without(IReadOnlyList<ProbeObstacle> obstacles) => obstacles.Count == 0 || Add.Count == 0
        ? this
        : new([.. Add.Where(a => !obstacles.Any(o => o.Address == a))], Delete);

    // The kernel deletes the first route that has what a request names, and no request can name everything: where one of several is
    // wrong, all are deleted.
    private static bool IsRight(Ip address, HostState host)
    {
        ProbeRoute[] present = [.. host.ProbeRoutes.Where(r => r.Destination == Prefix.Host(address))];
        uint metric = address.IsIPv4 ? host.MetricIPv4 : host.MetricIPv6;
        return present.Length > 0 && Array.TrueForAll(present, r => r.IsPlain && r.Tos == 0 && r.Metric == metric);
    }
}

/// <summary>What takes packets to a probe address before HostGw's local route does.</summary>
/// <param name="What">In words.</param>
/// <param name="Removal">The command that removes it.</param>
internal readonly record struct ProbeObstacle(Ip Address, string What, string Removal);
