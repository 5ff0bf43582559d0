namespace HostGw.Planning;

/// <summary>The decision on one podCIDR of one node, or on a node without podCIDR.</summary>
/// <param name="PodCidr">None if the node has no podCIDR or one that is not a CIDR.</param>
/// <param name="Reason">For people; empty if there is nothing to explain.</param>
/// <param name="NextHop">
/// Of a routed one, through the tunnel the peer's node address; of another one the last good next hop of a Node that lost all addresses,
/// or none.
/// </param>
/// <param name="Interface">The index of the interface of a routed one.</param>
internal readonly record struct Verdict(
    ClusterNode Node, Prefix PodCidr, VerdictKind Kind, string Reason, Ip NextHop = default, int Interface = 0)
{
    public VerdictFault Fault { get; init; }

    /// <summary>How packets reach the podCIDR through the tunnel; null: natively, or not at all.</summary>
    public Encapsulation? Tunnel { get; init; }

    /// <summary>The tunnel is to carry its packets and cannot yet: what is installed stays until it can.</summary>
    public bool AwaitsTunnel { get; init; }

    /// <summary>What <see cref="Kind"/> would be without the tunnel.</summary>
    public VerdictKind NativeKind
    {
        get => Tunnel is null ? Kind : field;
        init;
    }

    /// <summary>Its next hop is on-link, whether or not the tunnel is used.</summary>
    public bool IsOnLink => NativeKind == VerdictKind.Routed;
}

/// <summary>What must be changed so that a podCIDR is accepted, or routed without doubt.</summary>
internal enum VerdictFault : byte
{
    /// <summary>The peer's Node.</summary>
    Peer,

    /// <summary>This node's own Node: see <see cref="Plan.Faults"/>.</summary>
    Self,

    /// <summary>The DNS resolver that this host uses.</summary>
    Resolver,

    /// <summary>This host's routes: one of HostGw's is kept although none is on-link any more.</summary>
    Host,

    /// <summary>Pods of this host with addresses of a podCIDR that its Node had before it was re-created.</summary>
    FormerPods,

    /// <summary>An interface of this host, in a network that is for pods: it leads to no other host.</summary>
    Interface,
}

/// <summary>Ordered by severity.</summary>
internal enum VerdictKind : byte
{
    /// <summary>This host's own podCIDR: no route, its pods are here.</summary>
    Self,

    /// <summary>Natively or through the tunnel.</summary>
    Routed,

    /// <summary>Excluded by the annotation hostgw.io/skip or the setting nodeSelector.</summary>
    Skipped,

    /// <summary>The node has no podCIDR yet.</summary>
    NoPodCidr,

    /// <summary>This host lacks an interface or address for it at the moment; installed routes are kept.</summary>
    Waiting,

    /// <summary>The node has no address of the podCIDR's family that may be a next hop.</summary>
    NoAddress,

    /// <summary>The podCIDR has no room for a gateway.</summary>
    NoGateway,

    /// <summary>The next hop is not on this host's segment.</summary>
    NotAdjacent,

    /// <summary>A guard refuses the podCIDR.</summary>
    Rejected,
}

/// <summary>The names of verdicts in status, metrics and logs.</summary>
internal static class VerdictNames
{
    public static string Of(VerdictKind kind) => kind switch
    {
        VerdictKind.Self => "self",
        VerdictKind.Routed => "routed",
        VerdictKind.Skipped => "skipped",
        VerdictKind.NoPodCidr => "noPodCidr",
        VerdictKind.Waiting => "waiting",
        VerdictKind.NoAddress => "noAddress",
        VerdictKind.NoGateway => "noGateway",
        VerdictKind.NotAdjacent => "notAdjacent",
        _ => "rejected",
    };
}
