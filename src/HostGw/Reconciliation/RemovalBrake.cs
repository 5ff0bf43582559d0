using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>
/// Holds removals that would take most of our routes, whatever the cause, until the nodes were read by quorum after such a plan
/// first came up. Then the cluster really is so, and they are made.
/// </summary>
internal sealed class RemovalBrake
{
    private const int FreeRemovals = 3;

    private int? _readsBefore;
    private NatPlan? _nat;

    /// <param name="quorumReads">How many had been made when the plan's nodes were taken.</param>
    /// <returns>
    /// The changes without the removals that must wait: these routes stay installed and exempt from masquerading. What waits is null
    /// where nothing does.
    /// </returns>
    public (HostChanges Confirmed, HeldRemovals? Held) Hold(HostChanges changes, int quorumReads)
    {
        int installed = changes.Host.Routes.Count(r => r.IsOurs);
        int removals = changes.Routes.Delete.Count(r => !changes.Plan.Wants(r.Destination));
        bool isLarge = removals > FreeRemovals && removals > installed / 2;
        _readsBefore = isLarge ? _readsBefore ?? quorumReads : null;
        bool isHeld = isLarge && quorumReads <= _readsBefore;
        if (isHeld)
            changes = KeepExempt(changes with { Routes = WithoutRemovals(changes) });
        else
            _readsBefore = null;
        _nat = changes.ChangesNat ? changes.Nat : _nat;
        return (changes, isHeld ? new(removals, installed) : null);
    }

    // A second route to a destination that is still desired may go.
    private static RouteChanges WithoutRemovals(HostChanges changes) =>
        changes.Routes with { Delete = [.. changes.Routes.Delete.Where(r => changes.Plan.Wants(r.Destination))] };

    private HostChanges KeepExempt(HostChanges changes)
    {
        if (_nat is null || changes.Nat is null)
            return changes with { ChangesNat = false };
        PrefixForest exempt = new(changes.Nat.Exempt.Concat(_nat.Exempt));
        return changes with { Nat = changes.Nat with { Exempt = [.. exempt.Roots()] } };
    }
}

/// <param name="Routes">How many were to be removed.</param>
/// <param name="Installed">Of how many of ours.</param>
internal readonly record struct HeldRemovals(int Routes, int Installed);
