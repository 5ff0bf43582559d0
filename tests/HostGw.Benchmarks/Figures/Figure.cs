namespace HostGw.Benchmarks.Figures;

/// <summary>Something that was measured.</summary>
internal sealed record Figure(string Name, string Unit, Samples Values)
{
    /// <summary>Of which build of the agent; empty where none ran.</summary>
    public string Build { get; init; } = "";

    /// <summary>Nodes of the cluster, or routes of the host; null where their number does not matter.</summary>
    public int? Size { get; init; }

    /// <summary>What others took for the same in the same run, in the same unit.</summary>
    public IReadOnlyList<Peer> Peers { get; init; } = [];

    public Budget? Budget => Budgets.For(this);

    /// <summary>Null where there is no budget.</summary>
    public bool? Holds => Budget is { } budget ? budget.Allows(Values.Of(budget.Of)) : null;
}

/// <summary>Somebody else's value for the same thing.</summary>
internal readonly record struct Peer(string Name, double Value);
