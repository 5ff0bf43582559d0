using System.Collections.Immutable;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>
/// Holds removals if most of HostGw's routes, or of one family's, would be removed within 10 minutes, for any reason, until a quorum
/// read of the nodes has confirmed them. While a part of the node digest was never read, holds all removals, and also what would take
/// packets from <see cref="UnseenPeers"/>.
/// </summary>
internal sealed class RemovalBrake(TimeProvider time)
{
    private const int FreeRemovals = 3;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(10);

    // What was removed within the window and is not wanted again, with the time stamp. Several nodes may be removed one after the other.
    private readonly Dictionary<RouteKey, long> _removed = [];
    private readonly UnseenPeers _unseen = new();
    private int? _readsBefore;
    private NatPlan? _nat;

    /// <param name="quorumReads">How many had been made when the plan's nodes were taken.</param>
    /// <param name="isPartial">Nodes may exist that the plan does not know.</param>
    /// <returns>
    /// The changes without what must wait: the routes concerned stay installed and exempt from masquerading. What waits is null where
    /// nothing does.
    /// </returns>
    public (HostChanges Confirmed, HeldRemovals? Held) Hold(HostChanges changes, int quorumReads, bool isPartial = false)
    {
        Forget(changes.Plan);
        HostRoute[] removals = [.. changes.Routes.Delete.Where(r => Counts(r) && !changes.Plan.Wants(r.Destination))];
        HostRoute[] unseen = isPartial ? _unseen.Routes(changes) : [], concerned = [.. removals.Union(unseen)];
        int earlier = Earlier(removals, static _ => true);
        int installed = earlier + (concerned.Length > 0 ? changes.Host.Routes.Count(Counts) : 0);
        // The IPv6 routes to dual-stack peers are only half of all.
        bool isLarge = removals.Length > 0 && (AreMost(removals, changes.Host, static _ => true) ||
            AreMost(removals, changes.Host, static p => p.IsIPv4) || AreMost(removals, changes.Host, static p => p.IsIPv6));
        _readsBefore = isLarge ? _readsBefore ?? quorumReads : null;
        bool isHeld = (isPartial && concerned.Length > 0) || (isLarge && quorumReads <= _readsBefore);
        if (isHeld)
            changes = Keep(changes, concerned) with { Routes = UnseenPeers.Keep(WithoutRemovals(changes), unseen) };
        else
            Count(removals, isConfirmed: isLarge);
        _nat = changes.ChangesNat ? changes.Nat : _nat;
        return (changes, isHeld ? new(concerned.Length, installed) { Earlier = earlier, IsPartial = isPartial } : null);
    }

    /// <summary>A route of HostGw's that carries pods' packets.</summary>
    // Not those that compare paths: they come and go with the network between the nodes.
    public static bool Counts(HostRoute route) => route.IsOurs && !route.Destination.IsOneAddress;

    private bool AreMost(HostRoute[] removals, HostState host, Func<Prefix, bool> isOfFamily)
    {
        int earlier = Earlier(removals, isOfFamily), total = earlier + removals.Count(r => isOfFamily(r.Destination));
        return total > FreeRemovals && total > (earlier + host.Routes.Count(r => Counts(r) && isOfFamily(r.Destination))) / 2;
    }

    // Refused by the host, a removal comes again.
    private int Earlier(HostRoute[] removals, Func<Prefix, bool> isOfFamily) =>
        _removed.Keys.Count(k => isOfFamily(k.Destination)) -
        removals.Count(r => isOfFamily(r.Destination) && _removed.ContainsKey(r.Key));

    private void Count(HostRoute[] removals, bool isConfirmed)
    {
        _readsBefore = null;
        // The quorum read has confirmed the earlier ones as well.
        if (isConfirmed)
            _removed.Clear();
        else
            Array.ForEach(removals, r => _removed[r.Key] = time.GetTimestamp());
    }

    private void Forget(Plan plan)
    {
        foreach ((RouteKey key, long at) in _removed)
        {
            if (time.GetElapsedTime(at) > Window || plan.Wants(key.Destination))
                _removed.Remove(key);
        }
    }

    // A second route to a destination that is still desired may go.
    private static RouteChanges WithoutRemovals(HostChanges changes) =>
        changes.Routes with { Delete = [.. changes.Routes.Delete.Where(r => !Counts(r) || changes.Plan.Wants(r.Destination))] };

    private HostChanges Keep(HostChanges changes, HostRoute[] held) => KeepExempt(KeepTunnel(changes, held), held);

    // Without its link, source and guards a route into the tunnel that stays installed would carry nothing.
    private static HostChanges KeepTunnel(HostChanges changes, HostRoute[] held)
    {
        changes = changes with { Tunnel = changes.Tunnel.WithoutRemovals() };
        if (changes.Guards?.Tunnel is not { } guard)
            return held.Any(r => r.Tunnel is not null) ? changes with { ChangesGuards = false } : changes;
        TunnelGuard kept = guard with
        {
            Nodes = Joined(guard.Nodes, held.Select(r => r.Target).Where(a => !a.IsNone).Select(Prefix.Host)),
            Peers = Joined(guard.Peers, held.Select(r => r.Destination)),
        };
        return changes with { Guards = changes.Guards with { Tunnel = kept } };
    }

    private HostChanges KeepExempt(HostChanges changes, HostRoute[] held) => changes.Nat is null
        ? changes with { ChangesNat = false }
        : changes with
        {
            Nat = changes.Nat with { Exempt = Joined(changes.Nat.Exempt, [.. _nat?.Exempt ?? [], .. held.Select(r => r.Destination)]) },
        };

    private static ImmutableArray<Prefix> Joined(ImmutableArray<Prefix> planned, IEnumerable<Prefix> kept) =>
        [.. new PrefixForest(planned.Concat(kept)).Roots()];
}

/// <param name="Routes">How many were to be removed, or lead to <see cref="UnseenPeers"/>.</param>
/// <param name="Installed">How many routes of HostGw's are installed, those that were removed shortly before included.</param>
internal readonly record struct HeldRemovals(int Routes, int Installed)
{
    /// <summary>How many of those were removed within the last 10 minutes.</summary>
    public int Earlier { get; init; }

    /// <summary>They wait until all shards of the node digest have been read, and for no quorum read.</summary>
    public bool IsPartial { get; init; }
}

/// <summary>
/// Requests a list of all nodes by quorum after a pass that held removals back, or that found no Node of this host: the list that the
/// pass used may be wrong, and a watch does not correct a wrong list.
/// </summary>
/// <param name="read">Reads them; a pass follows in any case.</param>
internal sealed class QuorumReadTrigger(Action read, TimeProvider time) : IDisposable
{
    // A Node that is not registered yet, or no longer, must not cost the API server a list every second. No jitter: each agent
    // starts at another moment. A timer and no Polly pipeline: an attempt's outcome is a later pass, which comes from elsewhere.
    private static readonly Backoff Backoff = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));

    private readonly Lock _lock = new();
    private ITimer? _timer;
    private int _reads;

    public void After(PassReport report)
    {
        if (report.HeldRemovals is { IsPartial: false })
            read();
        if (report.Plan is not { } plan)
            return;
        lock (_lock)
        {
            if (plan.KnowsSelf)
                _reads = 0;
            else
                _timer ??= time.CreateTimer(_ => Read(), null, Backoff.Delay(_reads++), Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        lock (_lock)
            _timer?.Dispose();
    }

    private void Read()
    {
        lock (_lock)
        {
            _timer?.Dispose();
            _timer = null;
        }
        read();
    }
}
