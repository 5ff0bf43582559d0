using HostGw.Planning;

namespace HostGw.Platform;

/// <summary>What this host knows of an address on its segment.</summary>
/// <param name="Mac">Who answered for it, such as 02:00:00:00:00:01; empty where nobody has.</param>
internal sealed record NeighbourEntry(Ip Address, int Interface, string Mac)
{
    /// <summary>Asked for, and nobody answered.</summary>
    public bool IsUnanswered { get; init; }

    /// <summary>Written by somebody, and never asked for.</summary>
    public bool IsFixed { get; init; }
}
