namespace HostGw.Reconciliation;

/// <summary>Slows down where somebody undoes our CNI configuration, as agents do that want to be the only one.</summary>
internal sealed class CniBrake(TimeProvider time)
{
    private readonly RepairPace _pace = new(time);

    /// <summary>What had to be done when it became a fight; null: there is none.</summary>
    public string? Contested { get; private set; }

    /// <summary>How long until it may be written again; null: now.</summary>
    public TimeSpan? Pause()
    {
        if (_pace.Forget())
            Contested = null;
        return _pace.Pause > TimeSpan.Zero ? _pace.Pause : null;
    }

    /// <param name="what">What a pass did though nobody asked for another configuration.</param>
    public void Count(string what)
    {
        _pace.Add();
        if (_pace.IsFight)
            Contested ??= what;
    }
}
