using HostGw.Lab.Agents;
using HostGw.Lab.Topology;

namespace HostGw.Lab;

/// <summary>What cluster to build.</summary>
public sealed record ClusterSettings
{
    public int Nodes { get; init; } = 4;

    /// <summary>Which node plays Windows; 0 for none. The seed documents' example has the first.</summary>
    public int WindowsNode { get; init; } = 1;

    /// <summary>Whether the API gives nodes IPv6, too. The machines have both families in any case.</summary>
    public bool DualStack { get; init; } = true;

    /// <summary>Whether agents read their token and the authority from files, as pods do, which <see cref="ControlPlane.WriteCredentials"/> renews.</summary>
    public bool CredentialFiles { get; init; }

    /// <summary>From this number on nodes are on a second segment, behind routers; 0: there is one segment.</summary>
    public int FirstOnSecondSegment { get; init; }

    public int PodsPerNode { get; init; } = 1;

    /// <summary>Whether nodes have a bridge for their pods, as one makes it by hand. Without it pods come by CNI: see <see cref="Topology.CniRuntime"/>.</summary>
    public bool Bridges { get; init; } = true;

    public AgentSettings Agents { get; init; } = new("PodGateway", Addressing.ClusterCidrs, ["--nat-backend", "nftables"]);
}
