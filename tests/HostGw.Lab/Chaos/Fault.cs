namespace HostGw.Lab.Chaos;

/// <summary>Something that goes wrong, and how it is undone. Pods ping each other throughout.</summary>
/// <param name="Name">As in the table, and as one asks for it.</param>
/// <param name="Do">Returns when it has gone wrong.</param>
/// <param name="Undo">Returns when it is over; from then on recovery is measured.</param>
internal sealed record Fault(string Name, Func<Stage, Task> Do, Func<Stage, Task> Undo)
{
    /// <summary>What the fault itself takes, in the verdict's words, as where a link is down; null: no ping may be lost.</summary>
    public string? OwnLoss { get; init; }

    /// <summary>Whether the agents are alive meanwhile: then they put right what somebody changes on a host.</summary>
    public bool AgentsWork { get; init; } = true;

    /// <summary>Whether agents have lost the API server over it, and pause between attempts to reach it.</summary>
    public bool LeavesPause { get; init; }

    /// <summary>Whether it takes too long for `make test`.</summary>
    public bool IsLongOnly { get; init; }

    /// <summary>What must be so before it happens; pods do not ping yet.</summary>
    public Func<Stage, Task> Before { get; init; } = _ => Task.CompletedTask;

    /// <summary>Takes back what <see cref="Before"/> and the fault have left; pods do not ping any more.</summary>
    public Func<Stage, Task> After { get; init; } = _ => Task.CompletedTask;

    /// <summary>What else must hold while it lasts.</summary>
    public Func<Stage, Task> Meanwhile { get; init; } = _ => Task.CompletedTask;

    /// <summary>A change that is over at once, from which recovery is measured. News come in before it.</summary>
    public static Fault Sudden(string name, Func<Stage, Task> change) => new(name, _ => Task.CompletedTask, change);

    public override string ToString() => Name;
}
