using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>Slows down where somebody undoes our repairs of the masquerade rule or the accept in chain FORWARD.</summary>
internal sealed class RuleBrake(TimeProvider time)
{
    private readonly RepairPace _pace = new(time);

    /// <summary>What had to be repaired and who last changed it, as found when it became a fight; null: there is none.</summary>
    public string? Contested { get; private set; }

    /// <summary>The repairs that wait, in words.</summary>
    public HeldRules Held { get; private set; }

    /// <summary>How long until what waits may be repaired; null: nothing waits.</summary>
    public TimeSpan? HeldFor => Held.IsEmpty ? null : _pace.Pause;

    /// <param name="isRepair">False: other rules are wanted than before, which never wait.</param>
    /// <returns>The changes without what must wait.</returns>
    public HostChanges HoldBack(HostChanges changes, bool isRepair)
    {
        if (_pace.Forget())
            Contested = null;
        if (!isRepair || _pace.Pause <= TimeSpan.Zero)
        {
            Held = default;
            return changes;
        }
        // Looking may mean running programs. Once it is known that something waits, there is nothing more to learn until it may be repaired.
        return Held.IsEmpty ? changes with { HoldsRules = true } : changes with { ChangesNat = false, ChangesForward = false };
    }

    /// <summary>Counts the repair that a pass made, if it made one: one that the host refused was none.</summary>
    public void Count(ApplyResult result)
    {
        if (Held.IsEmpty)
            Held = result.HeldRules;
        bool failed = result.Failures.Any(f => f.Part is HostPart.Nat or HostPart.Forward);
        string[] what = [.. ((string[])[result.NatChange, result.ForwardChange]).Where(w => w.Length > 0)];
        if (failed || what.Length == 0)
            return;
        _pace.Add();
        if (_pace.IsFight)
            Contested ??= $"{string.Join("; ", what)}{(result.RulesWriter.Length > 0 ? $"; last changed by the program {result.RulesWriter}" : "")}";
    }
}
