using System.Collections.Immutable;
using System.Globalization;
using HostGw.Planning;
using HostGw.Problems;

namespace HostGw.Status;

/// <summary>What the probes say now, and the datagrams behind it.</summary>
/// <param name="Datagrams">By what became of them, in a fixed order.</param>
/// <param name="RoundTrips">Of answers on the pod path.</param>
internal sealed record ProbeStatus(
    Reachability Reachability, ImmutableArray<(string Result, long Count)> Datagrams, Histogram RoundTrips)
{
    public static ProbeStatus Off { get; } = new(Reachability.Off, [], Histogram.Empty);
}

/// <summary>A verdict of the probes in words.</summary>
internal static class ReachText
{
    /// <summary>"1 podTrafficDropped, 3 reachable": podCIDRs of peers, the most severe verdict first.</summary>
    public static string Counts(IEnumerable<Verdict> verdicts, Reachability reachability) => string.Join(
        ", ",
        from verdict in verdicts
        let reach = reachability.Of(verdict)
        where reach is not null
        group verdict by reach.Value.Kind into same
        orderby same.Key descending
        select string.Create(CultureInfo.InvariantCulture, $"{same.Count():N0} {ReachNames.Of(same.Key)}"));

    /// <summary>"reachable, 0.31 ms".</summary>
    public static string Of(Reach reach) => Of(ReachNames.Of(reach.Kind), reach.Milliseconds);

    /// <param name="milliseconds">Null: there was no answer yet.</param>
    public static string Of(string reachability, double? milliseconds) =>
        milliseconds is { } known ? $"{reachability}, {Of(known)}" : reachability;

    /// <summary>"0.31 ms".</summary>
    public static string Of(double milliseconds) => string.Create(CultureInfo.InvariantCulture, $"{milliseconds:0.0#} ms");

    /// <summary>What the verdict of the plan does not say; empty: nothing.</summary>
    public static string Reason(in Verdict verdict, Reachability reachability) => verdict switch
    {
        { AwaitsTunnel: true } => Join(verdict.Reason, $"what is installed stays until {TunnelPlan.LinkName} is up"),
        { Tunnel: not null, Reason: "" } when reachability.Of(verdict) is { Native: ReachKind.PodTrafficDropped } =>
            "the network drops packets with pod addresses: they take the tunnel",
        { Tunnel: not null } => Join(verdict.Reason, "packets take the tunnel"),
        _ when reachability.IsRoutedByNetwork(verdict) =>
            $"{verdict.Reason}, but probes of its pod network are answered: the network routes it, and no route of HostGw's is needed",
        _ => verdict.Reason,
    };

    /// <summary>What to do about a verdict that is no problem; empty: nothing.</summary>
    public static string Advice(in Verdict verdict, Reachability reachability) =>
        verdict.Kind != VerdictKind.Routed || reachability.Of(verdict) is not { Kind: ReachKind.Unknown } reach ? ""
        : reach.IsUnsendable
            ? $"this host cannot send probes to {ProbeAddress.Of(verdict.PodCidr, verdict.Node.IsWindows)} or to the node's address: " +
                "find the route or rule of this host that refuses them (`ip route get` with both addresses, `hostgw doctor`)"
        : reach.PodsFellSilent ? $"its pod network no longer answers probes{ReachabilityProblems.Since(reach)}"
        : !verdict.Node.IsWindows ? ""
        : "probes of its pod network are not answered: it has no agent or one of an earlier version, no host endpoint, or a firewall " +
            "that drops them until `New-NetFirewallRule -DisplayName hostgw-probe -Direction Inbound -Protocol UDP " +
            $"-LocalPort {reachability.Port} -Action Allow` is run there";

    private static string Join(string reason, string more) => reason.Length > 0 ? $"{reason}: {more}" : more;
}
