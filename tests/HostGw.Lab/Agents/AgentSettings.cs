using System.Collections.Immutable;

namespace HostGw.Lab.Agents;

/// <summary>How agents are started.</summary>
/// <param name="NextHop">NodeAddress or PodGateway.</param>
/// <param name="More">Further flags, each with its value.</param>
public sealed record AgentSettings(string NextHop, ImmutableArray<IPNetwork> ClusterCidrs, ImmutableArray<string> More)
{
    /// <summary>Of the periodic pass: where it is rare, only what is announced is repaired soon.</summary>
    public int ResyncSeconds { get; init; } = 60;

    /// <summary>Flags that no other command has, each with its value.</summary>
    public ImmutableArray<string> AgentOnly { get; init; } = [];

    public IEnumerable<string> Flags =>
    [
        "--next-hop", NextHop,
        .. ClusterCidrs.IsEmpty ? [] : new[] { "--cluster-cidrs", string.Join(',', ClusterCidrs) },
        .. More,
    ];
}
