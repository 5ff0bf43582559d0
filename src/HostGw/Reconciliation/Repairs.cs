using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>How much was put right though neither nodes nor settings had changed: somebody on the host did.</summary>
internal readonly record struct Repairs
{
    public long RoutesRemoved { get; init; }

    /// <summary>Somebody changed it and kept our mark.</summary>
    public long RoutesChanged { get; init; }

    /// <summary>Somebody put a route of his own in its place.</summary>
    public long RoutesOverwritten { get; init; }

    public long Masquerade { get; init; }

    public long ForwardAccept { get; init; }

    public long Forwarding { get; init; }

    public long Cni { get; init; }

    public static Repairs Of(RouteChanges routes, Func<PodRoute, bool> isRepair) => new()
    {
        RoutesRemoved = routes.Add.Count(isRepair),
        RoutesChanged = routes.Replace.Count(c => c.Cause == CorrectionCause.Differs && isRepair(c.Route)),
        RoutesOverwritten = routes.Replace.Count(c => c.Cause == CorrectionCause.Overwritten && isRepair(c.Route)),
    };

    public static Repairs operator +(Repairs a, Repairs b) => new()
    {
        RoutesRemoved = a.RoutesRemoved + b.RoutesRemoved,
        RoutesChanged = a.RoutesChanged + b.RoutesChanged,
        RoutesOverwritten = a.RoutesOverwritten + b.RoutesOverwritten,
        Masquerade = a.Masquerade + b.Masquerade,
        ForwardAccept = a.ForwardAccept + b.ForwardAccept,
        Forwarding = a.Forwarding + b.Forwarding,
        Cni = a.Cni + b.Cni,
    };
}
