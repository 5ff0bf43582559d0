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

    /// <summary>Whether the API speaks protobuf; JSON can say more that is wrong.</summary>
    public bool Protobuf { get; init; } = true;

    public int PodsPerNode { get; init; } = 1;

    public AgentSettings Agents { get; init; } = new("PodGateway", Addressing.ClusterCidrs, ["--nat-backend", "nftables"]);
}
