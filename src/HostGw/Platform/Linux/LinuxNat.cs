using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Platform.Linux;

/// <summary>Keeps the masquerade rule as planned, in two halves around the change of routes.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxNat : IDisposable
{
    private NftablesNat? _nftables;
    private NatPlan? _owing;

    public long Writes => _nftables?.Writes ?? 0;

    /// <summary>The port whose changes are our own; 0 while nothing is open.</summary>
    public uint PortId => _nftables?.PortId ?? 0;

    /// <summary>The rule was made, and connections that began without it may still be there.</summary>
    public bool OwesConnections => _owing is not null;

    /// <summary>What stands compared with what should; null: there is nothing to do.</summary>
    /// <exception cref="NetlinkException">The kernel has no nf_tables, or refused.</exception>
    public NatChange? Compare(NatPlan? desired)
    {
        if (TryOpen(desired is not null) is not { } nftables)
            return null;
        NatChange change = NatChange.Between(desired, nftables.Read());
        return change.Kind == NatChangeKind.None ? null : change;
    }

    /// <summary>Before the routes: what is to be exempt must be so when the first packet comes.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public void ApplyBefore(NatChange change) => _nftables!.ApplyBefore(change);

    /// <summary>After the routes.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public void ApplyAfter(NatChange change)
    {
        _nftables!.ApplyAfter(change);
        if (change.StartsMasquerading)
            _owing = change.Desired;
    }

    /// <summary>Connections that began while the rule was missing keep a pod's address for life: they are made to begin anew. Owed until it succeeds.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public void ForgetUnmasqueraded(ImmutableArray<Prefix> podCidrs, IReadOnlySet<Ip> localAddresses)
    {
        if (_owing is { } plan)
            _nftables!.ForgetUnmasqueraded(plan, podCidrs, localAddresses);
        _owing = null;
    }

    public void Dispose() => _nftables?.Dispose();

    // A kernel without netfilter holds nothing of ours: where no rule is wanted that is as it should be.
    private NftablesNat? TryOpen(bool isWanted)
    {
        try
        {
            return _nftables ??= new();
        }
        catch (NetlinkException) when (!isWanted)
        {
            return null;
        }
    }
}
