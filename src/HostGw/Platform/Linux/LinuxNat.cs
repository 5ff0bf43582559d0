using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Iptables;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Platform.Linux;

/// <summary>Keeps the masquerade rule as planned, in two halves around the change of routes, with the backend that fits.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxNat : IDisposable
{
    private readonly NatBackend _setting;
    private readonly NatIptables _flavour;
    private readonly NftablesBackend _nftables;
    private readonly FlavourLook _look;
    private readonly IptablesNat _iptablesNft;
    private readonly IptablesNat _iptablesLegacy;
    private readonly INatBackend[] _all;
    private INatBackend? _chosen;
    private NatPlan? _owing;
    private (bool IsKnown, NatWork? Work) _inNftables;

    public LinuxNat(LinuxHostOptions options, NftablesBackend nftables, IptablesPrograms nft, IptablesPrograms legacy)
    {
        (_setting, _flavour, _nftables) = (options.NatBackend, options.NatIptables, nftables);
        IptablesPresence presence = new(() => nftables.Census);
        _look = new(presence, legacy, () => nftables.Obstacle() is null);
        _iptablesNft = new(nft, presence);
        _iptablesLegacy = new(legacy, presence);
        _all = [_nftables, _iptablesNft, _iptablesLegacy];
    }

    /// <summary>The backend used last; null while no rule is wanted.</summary>
    public NatBackendChoice? Choice { get; private set; }

    /// <summary>The rule was made, and connections that began without it may still be there.</summary>
    public bool OwesConnections => _owing is not null;

    /// <summary>What nf_tables needs, where it holds the rule: starts no program, so it may come before the routes. Null: nothing.</summary>
    /// <exception cref="HostNetworkException">It cannot be read.</exception>
    public NatWork? CompareNftables(NatPlan? desired, bool anew)
    {
        _inNftables = default;
        bool chooses = _chosen is null || anew;
        if (desired is null || (chooses ? !PrefersNftables : _chosen != _nftables))
            return null;
        if (chooses)
            Choose();
        _inNftables = (true, _nftables.Compare(desired, anew));
        return _inNftables.Work;
    }

    /// <summary>
    /// The difference between the rule on this host and the desired one, in all backends; null: none. What
    /// <see cref="CompareNftables"/> found just before is not read again.
    /// </summary>
    /// <exception cref="HostNetworkException">It cannot be read, or no backend can hold the rule.</exception>
    public NatWork? Compare(NatPlan? desired, bool anew)
    {
        (bool isKnown, NatWork? known) = _inNftables;
        _inNftables = default;
        if (desired is null)
            (_chosen, Choice) = (null, null);
        else if (!isKnown && (_chosen is null || anew))
            Choose();
        return isKnown ? NatBackends.Join(_all, _nftables, known, anew) : NatBackends.Compare(_all, _chosen, desired, anew);
    }

    /// <summary>After the routes.</summary>
    /// <exception cref="HostNetworkException">It was refused.</exception>
    public void ApplyAfter(NatWork work)
    {
        // Owed from the moment that the rule stands, whatever becomes of the rest.
        _owing = work.Begins ?? _owing;
        work.After();
    }

    /// <summary>Connections that began while the rule was missing keep a pod's address for life: they are made to begin anew. Owed until it succeeds.</summary>
    /// <exception cref="HostNetworkException">The kernel refused.</exception>
    public void ForgetUnmasqueraded(ImmutableArray<Prefix> podCidrs, IReadOnlySet<Ip> localAddresses)
    {
        if (_owing is { } plan)
            _nftables.ForgetUnmasqueraded(plan, podCidrs, localAddresses);
        _owing = null;
    }

    public void Dispose() => _nftables.Dispose();

    private bool PrefersNftables => _setting == NatBackend.Nftables || (_setting != NatBackend.Iptables && _nftables.Obstacle() is null);

    private void Choose()
    {
        (INatBackend backend, string why) = _setting switch
        {
            NatBackend.Nftables => (_nftables, "nat.backend says so"),
            NatBackend.Iptables => Iptables("nat.backend says iptables"),
            _ => _nftables.Obstacle() is { } obstacle ? Iptables(obstacle) : ((INatBackend)_nftables, "the kernel has nf_tables"),
        };
        (_chosen, Choice) = (backend, new(backend.Name, why));
    }

    private (INatBackend Backend, string Why) Iptables(string because)
    {
        (IptablesFlavour flavour, string why) = _flavour switch
        {
            NatIptables.Nft => (IptablesFlavour.Nft, "nat.iptables says nft"),
            NatIptables.Legacy => (IptablesFlavour.Legacy, "nat.iptables says legacy"),
            _ => _look.Read().Choose(),
        };
        return (flavour == IptablesFlavour.Nft ? _iptablesNft : _iptablesLegacy, because == why ? why : $"{because}, {why}");
    }
}
