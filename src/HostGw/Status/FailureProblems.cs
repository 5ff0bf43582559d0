using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Status;

/// <summary>What the host refused, as one problem for each part of it: a host that refuses everything refuses a thousand routes.</summary>
internal static class FailureProblems
{
    public static IEnumerable<Problem> Of(PassReport report) =>
        from failure in report.Failures
        group failure by failure.Part into same
        let first = same.First()
        let more = same.Count() > 1 ? $", and {same.Count() - 1} more" : ""
        select new Problem(Reason(same.Key), "", $"could not {first.What}: {first.Error.Message}{more}", Cures.Of(same.Key));

    private static string Reason(HostPart part) => part switch
    {
        HostPart.State => "HostUnreadable",
        HostPart.ForwardingIPv4 or HostPart.ForwardingIPv6 => "ForwardingNotApplied",
        HostPart.NeighbourThresholds or HostPart.Neighbours => "NeighboursNotApplied",
        HostPart.Nat => "NATNotApplied",
        HostPart.Forward => "ForwardAcceptNotApplied",
        HostPart.Routes => "RoutesNotApplied",
        HostPart.Ownership => "OwnershipNotRecorded",
        HostPart.PodNetwork => "PodNetworkNotApplied",
        _ => "CNINotApplied",
    };
}
