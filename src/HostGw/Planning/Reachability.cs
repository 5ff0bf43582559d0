namespace HostGw.Planning;

/// <summary>What probes say about pods' packets to a peer, in one family. Ordered by severity.</summary>
internal enum ReachKind : byte
{
    /// <summary>
    /// Never answered: an older version, no agent, or the port is blocked. Between a Windows node and another one also: packets between the
    /// nodes' addresses arrive, and nothing tells why probes between pod addresses are not answered.
    /// </summary>
    Unknown,

    /// <summary>Pods' packets arrive.</summary>
    Reachable,

    /// <summary>They arrive by routes that are not HostGw's: routers of the network know the pod prefixes.</summary>
    RoutedByNetwork,

    /// <summary>They arrive and are forwarded; a firewall on the peer drops the probes' port, or its agent has ended.</summary>
    ProbeFiltered,

    /// <summary>Nothing answers any more, and it once did.</summary>
    Unreachable,

    /// <summary>Packets between the nodes' addresses arrive, those between pod addresses do not: the network drops them.</summary>
    PodTrafficDropped,
}

/// <summary>Which way packets to a peer's pods should take, as the probes decide it (tunnel.mode: auto).</summary>
internal enum PeerPath : byte
{
    /// <summary>Not decided: what is installed stays.</summary>
    Undecided,

    /// <summary>The native route, or none where the peer is not on-link.</summary>
    Native,

    /// <summary>As before, and both ways are measured by host routes to the peer's probe address and SOURCE.</summary>
    Compared,

    /// <summary>The tunnel, and both ways are measured.</summary>
    Tunnel,
}

/// <summary>The latest verdict of the probes on a peer.</summary>
/// <param name="SinceSeconds">Unix time since when it is so.</param>
/// <param name="RoundTripMicroseconds">Of the latest answer on the pod path; 0: none yet.</param>
internal readonly record struct Reach(ReachKind Kind, uint SinceSeconds, uint RoundTripMicroseconds)
{
    public PeerPath Path { get; init; }

    /// <summary>
    /// Of an unknown one: its pod network has answered, and answers no more. Only with a Windows node at one end: of others the verdict
    /// says it.
    /// </summary>
    public bool PodsFellSilent { get; init; }

    /// <summary>The verdict on the native path. <see cref="Kind"/> is that on the tunnel while packets take it.</summary>
    public ReachKind Native { get => Path == PeerPath.Tunnel ? field : Kind; init; }

    /// <summary>This host could not send the latest questions, so that nothing is known.</summary>
    public bool IsUnsendable { get; init; }

    /// <summary>Null: since ever.</summary>
    public DateTimeOffset? Since => SinceSeconds == 0 ? null : DateTimeOffset.FromUnixTimeSeconds(SinceSeconds);

    /// <summary>The round trip of the latest answer, where the verdict is that of an answer.</summary>
    public double? Milliseconds =>
        RoundTripMicroseconds > 0 && Kind is ReachKind.Reachable or ReachKind.RoutedByNetwork ? RoundTripMicroseconds / 1000.0 : null;
}

/// <summary>The verdicts of the probes on all peers at one moment. Immutable.</summary>
internal sealed class Reachability
{
    private readonly Prefix[] _podCidrs;
    private readonly Reach[] _reaches;

    /// <param name="podCidrs">Sorted.</param>
    /// <param name="reaches">Of each; a peer's podCIDRs of one family share a verdict.</param>
    public Reachability(Prefix[] podCidrs, Reach[] reaches) => (_podCidrs, _reaches) = (podCidrs, reaches);

    public Reachability(IEnumerable<(Prefix PodCidr, Reach Reach)> reaches)
    {
        (Prefix PodCidr, Reach Reach)[] sorted = [.. reaches.OrderBy(r => r.PodCidr)];
        (_podCidrs, _reaches) = (Array.ConvertAll(sorted, r => r.PodCidr), Array.ConvertAll(sorted, r => r.Reach));
    }

    /// <summary>There are no probes: probe.enabled is false, or no agent says what they are.</summary>
    public static Reachability Off { get; } = new([]) { IsOn = false };

    public bool IsOn { get; private init; } = true;

    /// <summary>Why peers' probes do not reach this host's agent, so that peers know nothing of it; empty: they do.</summary>
    public string Fault { get; init; } = "";

    /// <summary>The UDP port at which agents answer: the status names it in the command that opens a Windows firewall.</summary>
    public int Port { get; init; }

    /// <summary>Whether each podCIDR has the same path in both; one that is not probed is undecided.</summary>
    public bool HasPathsOf(Reachability other)
    {
        if (ReferenceEquals(this, other))
            return true;
        for (int i = 0, j = 0; i < _podCidrs.Length || j < other._podCidrs.Length;)
        {
            int order = i == _podCidrs.Length ? 1 : j == other._podCidrs.Length ? -1 : _podCidrs[i].CompareTo(other._podCidrs[j]);
            PeerPath path = order <= 0 ? _reaches[i++].Path : PeerPath.Undecided;
            if (path != (order >= 0 ? other._reaches[j++].Path : PeerPath.Undecided))
                return false;
        }
        return true;
    }

    /// <summary>Of a podCIDR that is not probed: unknown, since ever.</summary>
    public Reach Of(Prefix podCidr) => Array.BinarySearch(_podCidrs, podCidr) is >= 0 and var i ? _reaches[i] : default;

    /// <summary>Null where there are no probes: they are off, or nothing of this node's is to reach the podCIDR.</summary>
    public Reach? Of(in Verdict verdict) =>
        IsOn && verdict.Kind is VerdictKind.Routed or VerdictKind.NotAdjacent ? Of(verdict.PodCidr) : null;

    /// <summary>No route of HostGw's is possible, and none is needed.</summary>
    public bool IsRoutedByNetwork(in Verdict verdict) =>
        verdict.Kind == VerdictKind.NotAdjacent && Of(verdict) is { Kind: ReachKind.RoutedByNetwork };
}

/// <summary>The names of the ways to a peer's pods in the status.</summary>
internal static class PathNames
{
    /// <summary>Empty where packets of HostGw's take none: there is no route.</summary>
    public static string Of(in Verdict verdict, Reachability reachability) =>
        verdict.Tunnel is not null || verdict.AwaitsTunnel ? "tunnel"
        : reachability.Of(verdict) is { Path: PeerPath.Compared } ? "compared"
        : verdict.Kind == VerdictKind.Routed ? "native"
        : "";

    public static PeerPath Parse(string name) => name switch
    {
        "tunnel" => PeerPath.Tunnel,
        "compared" => PeerPath.Compared,
        "native" => PeerPath.Native,
        _ => PeerPath.Undecided,
    };
}

/// <summary>The names of the probes' verdicts in status, page, metrics and docs.</summary>
internal static class ReachNames
{
    private static readonly ReachKind[] All = Enum.GetValues<ReachKind>();

    /// <summary>Unknown where it is the name of none.</summary>
    public static ReachKind Parse(string name) => All.FirstOrDefault(k => Of(k) == name);

    public static string Of(ReachKind kind) => kind switch
    {
        ReachKind.Unknown => "unknown",
        ReachKind.Reachable => "reachable",
        ReachKind.RoutedByNetwork => "routedByNetwork",
        ReachKind.ProbeFiltered => "probeFiltered",
        ReachKind.Unreachable => "unreachable",
        _ => "podTrafficDropped",
    };
}
