using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>
/// Holds a plan that would remove most of what stands, whatever made it so, until the nodes were read by quorum after it
/// first came up. Then it is followed: the cluster really is so.
/// </summary>
internal sealed class RemovalBrake
{
    private const int FreeRemovals = 3;

    private int? _readsBefore;
    private NatPlan? _nat;

    /// <summary>What waits; null: nothing does.</summary>
    public HeldRemovals? Held { get; private set; }

    /// <param name="quorumReads">How many had been made when the plan's nodes were taken.</param>
    /// <returns>The changes without what must wait: routes that stand are kept, with the exemption from masquerading that they need.</returns>
    public HostChanges HoldBack(HostChanges changes, Plan plan, IReadOnlyList<HostRoute> standing, int quorumReads)
    {
        int ours = standing.Count(r => r.IsOurs);
        int removals = changes.Routes.Delete.Count(r => !plan.Wants(r.Destination));
        bool isLarge = removals > FreeRemovals && removals > ours / 2;
        _readsBefore = isLarge ? _readsBefore ?? quorumReads : null;
        Held = isLarge && quorumReads <= _readsBefore ? new(removals, ours) : null;
        if (Held is not null)
        {
            changes.Routes.Delete.RemoveAll(r => !plan.Wants(r.Destination));
            changes = KeepExempt(changes);
        }
        else
        {
            _readsBefore = null;
        }
        _nat = changes.ChangesNat ? changes.Nat : _nat;
        return changes;
    }

    private HostChanges KeepExempt(HostChanges changes)
    {
        if (_nat is null || changes.Nat is null)
            return changes with { ChangesNat = false };
        PrefixForest exempt = new(changes.Nat.Exempt.Concat(_nat.Exempt));
        return changes with { Nat = changes.Nat with { Exempt = [.. exempt.Roots()] } };
    }
}

/// <param name="Routes">How many were to be removed.</param>
/// <param name="Standing">Of how many of ours.</param>
internal readonly record struct HeldRemovals(int Routes, int Standing);
