using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Platform.Linux;

/// <summary>
/// Keeps the guards of probes and tunnel in a table of nf_tables of their own, whatever backend holds the masquerade rule. One pass at a
/// time uses it; <see cref="Drops"/> may be asked by any thread.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxGuards(TimeProvider time) : IDisposable
{
    private static readonly TimeSpan DropsAge = TimeSpan.FromSeconds(1);

    // An obstacle may go: a module is loaded later.
    private static readonly TimeSpan ObstacleAge = TimeSpan.FromSeconds(30);

    // Of the socket: a pass has it, or who asks for the drops.
    private readonly Lock _lock = new();
    private NetlinkSocket? _socket;
    private OwnTables? _tables;
    private string? _obstacle;
    private long _askedAt;

    // Of an obstacle that shows only when the table is created.
    private NftTable? _refused;

    // What the kernel has, as of the last pass: read again only after a failure, and parts of it after a notification that names them.
    private bool _isKnown;
    private GuardPlan? _installed;

    // Without the tunnel's guards its packets would reach host sockets as long as the link is there.
    private bool _waitsForLink;

    private ImmutableArray<GuardDrops> _drops = [];
    private long? _dropsAt;

    /// <summary>What other programs change of them, reported by whoever receives the kernel's announcements.</summary>
    public GuardNews News { get; } = new();

    /// <summary>The netlink port of HostGw's own changes; 0 while nothing is open.</summary>
    public uint PortId => _socket?.PortId ?? 0;

    /// <summary>The number of changing messages sent.</summary>
    public long Writes => _socket?.Writes ?? 0;

    /// <summary>Why this host cannot have guards, with the cure; empty: it can, as far as is known.</summary>
    public string Obstacle()
    {
        if (_obstacle is null || (_obstacle.Length > 0 && time.GetElapsedTime(_askedAt) >= ObstacleAge))
            (_obstacle, _askedAt) = (FindObstacle(), time.GetTimestamp());
        return _obstacle;
    }

    /// <summary>
    /// Before the link and the routes: installs guards, or corrects them. Those of a tunnel stay until <see cref="Remove"/>.
    /// </summary>
    /// <param name="reread">Rules may have changed since the last pass.</param>
    /// <returns>What was done, or would be, in words; empty: nothing.</returns>
    public string Make(GuardPlan? desired, bool reread, bool writes, Attempts attempts) =>
        desired is null || Obstacle().Length > 0 ? "" : Reach(desired, reread, writes, attempts, hasLink: true);

    /// <summary>After the routes and the link: removes what is not needed any more.</summary>
    /// <inheritdoc cref="Make"/>
    public string Remove(GuardPlan? desired, bool reread, bool writes, Attempts attempts) =>
        (desired is null || _waitsForLink) && Obstacle().Length == 0
            ? Reach(desired, reread, writes, attempts, hasLink: false)
            : "";

    /// <summary>
    /// Whether packets out of the tunnel pass its guards, of this pass or of an earlier one. Reads them where it is not known.
    /// </summary>
    /// <param name="mayDiffer">They may have changed since, and this pass has not corrected them.</param>
    public bool AreInstalled(GuardPlan? desired, bool mayDiffer)
    {
        lock (_lock)
        {
            _isKnown &= !mayDiffer && News.IsEmpty;
            if (_isKnown)
                return _installed is { Tunnel: not null };
            try
            {
                return Obstacle().Length == 0 && GuardRuleset.AreIn(_tables!.Read(), [desired, _installed]);
            }
            catch (NetlinkException)
            {
                return false;
            }
        }
    }

    /// <summary>What the guards have dropped since their rules were written; none where there are none. At most a second old.</summary>
    /// <remarks>While a pass changes the guards, what was read before: it never waits.</remarks>
    public ImmutableArray<GuardDrops> Drops()
    {
        if (!_lock.TryEnter())
            return _drops;
        try
        {
            if (_installed is null)
                _drops = [];
            else if (_dropsAt is not { } at || time.GetElapsedTime(at) >= DropsAge)
                (_drops, _dropsAt) = (ReadDrops(), time.GetTimestamp());
            return _drops;
        }
        catch (NetlinkException)
        {
            return _drops; // the next pass reports that nf_tables cannot be read
        }
        finally
        {
            _lock.Exit();
        }
    }

    public void Dispose() => _socket?.Dispose();

    private string Reach(GuardPlan? desired, bool reread, bool writes, Attempts attempts, bool hasLink)
    {
        string what = "";
        lock (_lock)
        {
            attempts.Try(HostPart.Guards, "apply the guards of probes and tunnel", wanted: true, () =>
            {
                try
                {
                    what = Reach(desired, reread, writes, hasLink);
                }
                // Somebody has deleted the table since it was read: until the next pass the tunnel would be without guards.
                catch (NetlinkException e) when (e.IsNotFound && Obstacle().Length == 0)
                {
                    what = Reach(desired, reread: true, writes, hasLink);
                }
            });
        }
        return what;
    }

    private string Reach(GuardPlan? desired, bool reread, bool writes, bool hasLink)
    {
        GuardChange change = Compare(desired, reread);
        _waitsForLink = hasLink && change.EndsTunnel;
        if (writes && !_waitsForLink && change.What.Length > 0)
            Apply(change, desired);
        return _waitsForLink ? "" : change.What;
    }

    private GuardChange Compare(GuardPlan? desired, bool reread)
    {
        GuardParts changed = News.Take();
        bool isSame = !reread && _isKnown && !changed.Everything && Equals(desired, _installed);
        if (isSame && changed.IsEmpty)
            return GuardChange.None;
        if (!reread && _isKnown && changed.IsEmpty)
            return GuardChange.Between(desired, _installed is null ? [] : [GuardRuleset.Of(_installed)]);
        _isKnown = false;
        GuardChange change = (isSame && desired is not null ? CompareParts(desired, changed) : null)
            ?? GuardChange.Between(desired, _tables!.Read());
        if (change.What.Length == 0)
            (_isKnown, _installed) = (true, desired);
        return change;
    }

    private GuardChange? CompareParts(GuardPlan desired, GuardParts changed)
    {
        NftTable part = GuardRuleset.Of(desired, changed);
        return GuardChange.Within(part, _tables!.ReadPart(part));
    }

    private void Apply(GuardChange change, GuardPlan? desired)
    {
        _isKnown = false;
        if (change.Desired is { } table)
            Build(table, change.Observed);
        else if (!change.Observed.IsEmpty)
            _tables!.Remove(change.Observed);
        else
            _tables!.Apply(change.Elements, change.Refills);
        (_isKnown, _installed) = (true, desired);
    }

    private void Build(NftTable table, ImmutableArray<NftTable> observed)
    {
        if (_tables!.TryRebuild([table], observed) is not { } refusal)
            return;
        // Old and minimal kernels have nf_tables without what a rule needs. Only the creation of the table shows it.
        if (NftExplanation.IsUnsupported(refusal))
            (_obstacle, _askedAt, _refused) = (refusal.Message, time.GetTimestamp(), table);
        throw refusal;
    }

    private string FindObstacle()
    {
        const string None = "this kernel has no nf_tables, which the tunnel's guards need: load the module nf_tables (CONFIG_NF_TABLES), " +
            "or set tunnel.mode: off";
        try
        {
            _socket ??= new(NfTables.NETLINK_NETFILTER);
            _tables ??= new(_socket, GuardRuleset.TableName, NftAdvice.Guards);
            if (!_tables.IsPresent)
                return None;
            if (_refused is { } table && _tables.Refuse(table) is { } refusal)
                return refusal.Message;
            _refused = null;
            return "";
        }
        catch (NetlinkException e) when (_tables is not null && e.Errno == Errno.EPERM)
        {
            return ""; // the pass reports that tables may not even be read
        }
        catch (NetlinkException)
        {
            return None;
        }
    }

    private ImmutableArray<GuardDrops> ReadDrops()
    {
        Dictionary<string, long> counters = _tables!.ReadCounters(NftFamily.Inet);
        return [.. GuardRuleset.Guards.Where(counters.ContainsKey).Select(g => new GuardDrops(g, counters[g]))];
    }
}
