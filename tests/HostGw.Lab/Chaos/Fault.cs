namespace HostGw.Lab.Chaos;

/// <summary>Something that goes wrong, and how it is undone. Pods ping each other throughout.</summary>
/// <param name="Name">As in the table, and as one asks for it.</param>
/// <param name="Do">Returns when it has gone wrong.</param>
/// <param name="Undo">Returns when it is over; from then on recovery is measured.</param>
internal sealed record Fault(string Name, Func<Stage, Task> Do, Func<Stage, Task> Undo)
{
    /// <summary>Whether it takes the link itself, by which packets go: only then may pings be lost.</summary>
    public bool TakesLink { get; init; }

    /// <summary>Whether the agents are alive meanwhile: then they put right what somebody changes on a host.</summary>
    public bool AgentsWork { get; init; } = true;

    /// <summary>Whether agents have lost the API server over it, and pause between attempts to reach it.</summary>
    public bool LeavesPause { get; init; }

    /// <summary>Whether it takes too long for `make test`.</summary>
    public bool IsLongOnly { get; init; }

    /// <summary>What else must hold while it lasts.</summary>
    public Func<Stage, Task> Meanwhile { get; init; } = _ => Task.CompletedTask;

    public override string ToString() => Name;
}
