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

    public long Writes => _nftables?.Writes ?? 0;

    /// <summary>The port whose changes are our own; 0 while nothing is open.</summary>
    public uint PortId => _nftables?.PortId ?? 0;

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

    /// <summary>After the routes; then connections that began while the rule was missing are made to begin anew.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public void ApplyAfter(NatChange change, ImmutableArray<Prefix> podCidrs, IReadOnlySet<Ip> localAddresses)
    {
        _nftables!.ApplyAfter(change);
        if (change.StartsMasquerading && change.Desired is { } plan)
            _nftables.ForgetUnmasqueraded(plan, podCidrs, localAddresses);
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
