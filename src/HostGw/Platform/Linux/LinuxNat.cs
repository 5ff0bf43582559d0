using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Iptables;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Platform.Linux;

/// <summary>Holds the masquerade rule in one kind of rules: nf_tables, iptables-nft or iptables-legacy. Not thread-safe.</summary>
internal interface INatBackend
{
    /// <summary>The name in logs and status.</summary>
    string Name { get; }

    /// <summary>The number of changing requests sent.</summary>
    long Writes { get; }

    /// <summary>Compares HostGw's rule here with the desired one. Null: they are equal.</summary>
    /// <param name="desired">Null: no rule here.</param>
    /// <param name="reread">False: the result of an earlier comparison may be used again if reading starts a program.</param>
    /// <exception cref="HostNetworkException">The rules cannot be read, or this backend cannot hold the desired rule.</exception>
    NatUpdate? Compare(NatPlan? desired, bool reread);
}

/// <summary>A change of the masquerade rule, in two halves around the change of routes.</summary>
/// <param name="What">In words.</param>
/// <param name="Starts">The plan, if pods are masqueraded that were not: they may have connections that began without. Else null.</param>
/// <param name="BeforeRoutes">Adds exemptions, which the first packet needs. Throws <see cref="HostNetworkException"/>.</param>
/// <param name="AfterRoutes">Removes exemptions. Throws <see cref="HostNetworkException"/>.</param>
internal sealed record NatUpdate(string What, NatPlan? Starts, Action BeforeRoutes, Action AfterRoutes);

/// <summary>
/// Chooses the backend of this host, keeps the masquerade rule there, and removes it from the others: in each pass
/// <see cref="BeforeRoutes"/>, then <see cref="AfterRoutes"/>.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxNat : IDisposable
{
    private readonly NatBackend _setting;
    private readonly NatIptables _flavourSetting;
    private readonly NftablesBackend _nftables;
    private readonly FlavourDetector _detector;
    private readonly IptablesNat _iptablesNft;
    private readonly IptablesNat _iptablesLegacy;
    private readonly INatBackend[] _all;
    private INatBackend? _chosen;
    private NatPlan? _pendingDeletion;
    private (bool IsKnown, NatUpdate? Update) _inNftables;

    public LinuxNat(LinuxHostOptions options, NftablesBackend nftables, IptablesPrograms nft, IptablesPrograms legacy)
    {
        (_setting, _flavourSetting, _nftables) = (options.NatBackend, options.NatIptables, nftables);
        IptablesPresence presence = new(() => nftables.ForeignTables);
        _detector = new(presence, legacy, () => nftables.Obstacle() is null);
        _iptablesNft = new(nft, presence);
        _iptablesLegacy = new(legacy, presence);
        _all = [_nftables, _iptablesNft, _iptablesLegacy];
    }

    /// <summary>The backend used last; null while no rule is desired.</summary>
    public NatBackendChoice? Choice { get; private set; }

    /// <summary>Masquerading has started, and <see cref="DeleteUnmasqueraded"/> has not succeeded since.</summary>
    public bool HasPendingDeletion => _pendingDeletion is not null;

    /// <summary>The half before the change of routes: adds exemptions if nf_tables holds the rule. Starts no program.</summary>
    /// <param name="desired">Null: no rule.</param>
    /// <param name="reread">False: the result of an earlier comparison may be used again if reading starts a program.</param>
    /// <param name="writes">False: only compares.</param>
    /// <exception cref="HostNetworkException">The rules cannot be read, or the change was refused.</exception>
    public void BeforeRoutes(NatPlan? desired, bool reread, bool writes)
    {
        _inNftables = default;
        bool chooses = _chosen is null || reread;
        if (desired is null || (chooses ? !PrefersNftables : _chosen != _nftables))
            return;
        if (chooses)
            Choose();
        _inNftables = (true, _nftables.Compare(desired, reread));
        if (writes)
            _inNftables.Update?.BeforeRoutes();
    }

    /// <summary>
    /// The half after the change of routes: removes exemptions, does both halves if iptables holds the rule, and removes the rule
    /// from all other backends.
    /// </summary>
    /// <returns>What was changed, or would be, in words; empty: nothing.</returns>
    /// <exception cref="HostNetworkException">The rules cannot be read, no backend can hold them, or the change was refused.</exception>
    /// <inheritdoc cref="BeforeRoutes"/>
    public string AfterRoutes(NatPlan? desired, bool reread, bool writes)
    {
        (bool isKnown, NatUpdate? begun) = _inNftables;
        _inNftables = default;
        if (desired is null)
            (_chosen, Choice) = (null, null);
        else if (!isKnown && (_chosen is null || reread))
            Choose();
        NatUpdate? update = isKnown
            ? NatBackends.Join(_all, _nftables, begun, reread)
            : NatBackends.Compare(_all, _chosen, desired, reread);
        if (writes && begun is null)
            update?.BeforeRoutes();
        if (writes && update is not null)
        {
            // The rule is installed now: connections are to be deleted whether the rest succeeds or not.
            _pendingDeletion = update.Starts ?? _pendingDeletion;
            update.AfterRoutes();
        }
        return update?.What ?? "";
    }

    /// <inheritdoc cref="NftablesNat.DeleteUnmasqueraded"/>
    public void DeleteUnmasqueraded(ImmutableArray<Prefix> podCidrs, IReadOnlySet<Ip> localAddresses)
    {
        if (_pendingDeletion is { } plan)
            _nftables.DeleteUnmasqueraded(plan, podCidrs, localAddresses);
        _pendingDeletion = null;
    }

    public void Dispose() => _nftables.Dispose();

    private bool PrefersNftables => _setting == NatBackend.Nftables || (_setting != NatBackend.Iptables && _nftables.Obstacle() is null);

    private void Choose()
    {
        (INatBackend backend, string why) = _setting switch
        {
            NatBackend.Nftables => (_nftables, "nat.backend is nftables"),
            NatBackend.Iptables => Iptables("nat.backend is iptables"),
            _ => _nftables.Obstacle() is { } obstacle ? Iptables(obstacle) : ((INatBackend)_nftables, "the kernel has nf_tables"),
        };
        (_chosen, Choice) = (backend, new(backend.Name, why));
    }

    private (INatBackend Backend, string Why) Iptables(string because)
    {
        (IptablesFlavour flavour, string why) = _flavourSetting switch
        {
            NatIptables.Nft => (IptablesFlavour.Nft, "nat.iptables is nft"),
            NatIptables.Legacy => (IptablesFlavour.Legacy, "nat.iptables is legacy"),
            _ => _detector.Read().Choose(),
        };
        return (flavour == IptablesFlavour.Nft ? _iptablesNft : _iptablesLegacy, because == why ? why : $"{because}, {why}");
    }
}

/// <summary>Moves the rule to another backend: installs it there, then removes it from the others. Pure.</summary>
internal static class NatBackends
{
    /// <param name="chosen">Null: no rule is desired.</param>
    /// <returns>Null: nothing to do.</returns>
    /// <exception cref="HostNetworkException">A backend cannot be read.</exception>
    public static NatUpdate? Compare(IEnumerable<INatBackend> all, INatBackend? chosen, NatPlan? desired, bool reread) =>
        Join(all, chosen, chosen?.Compare(desired, reread), reread);

    /// <param name="wanted">The update of <paramref name="chosen"/>; null: none.</param>
    /// <inheritdoc cref="Compare"/>
    public static NatUpdate? Join(IEnumerable<INatBackend> all, INatBackend? chosen, NatUpdate? wanted, bool reread)
    {
        List<(string Backend, NatUpdate Update)> removals = [];
        foreach (INatBackend other in all.Where(b => b != chosen))
        {
            if (other.Compare(null, reread) is { } update)
                removals.Add((other.Name, update));
        }
        if (wanted is null && removals.Count == 0)
            return null;

        IEnumerable<string> what = removals.Select(r => chosen is null ? r.Update.What : $"removed from {r.Backend}");
        return new(
            string.Join("; ", wanted is null ? what : what.Prepend(wanted.What)), wanted?.Starts,
            () => wanted?.BeforeRoutes(),
            () =>
            {
                wanted?.AfterRoutes();
                foreach ((_, NatUpdate update) in removals)
                {
                    update.BeforeRoutes();
                    update.AfterRoutes();
                }
            });
    }
}
