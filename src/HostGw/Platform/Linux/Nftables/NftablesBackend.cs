using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>The masquerade rule in a table of nf_tables; opened when first needed.</summary>
[SupportedOSPlatform("linux")]
internal sealed class NftablesBackend : INatBackend, IDisposable
{
    private NftablesNat? _nftables;
    private string? _lacks;

    public string Name => "nftables";

    public long Writes => _nftables?.Writes ?? 0;

    /// <summary>The port whose changes are our own; 0 while nothing is open.</summary>
    public uint PortId => _nftables?.PortId ?? 0;

    /// <summary>What others have in nf_tables; null where the kernel has no netfilter.</summary>
    public NftCensus? Census => TryOpen(isWanted: false)?.Census;

    /// <summary>Why this kernel cannot have the rule here; null: it can, as far as is known.</summary>
    public string? Obstacle() => _lacks ?? (TryOpen(isWanted: false) is { IsPresent: true } ? null : "the kernel has no nf_tables");

    public NatWork? Compare(NatPlan? desired, bool anew)
    {
        if (TryOpen(desired is not null) is not { } nftables)
            return null;
        NatChange change = NatChange.Between(desired, nftables.Read());
        return change.Kind == NatChangeKind.None ? null : new(
            change.Kind == NatChangeKind.Elements ? "prefixes changed" : change.Reason, change.StartsMasquerading ? change.Desired : null,
            () => ApplyBefore(nftables, change), () => nftables.ApplyAfter(change));
    }

    /// <summary>Connections that began while the rule was missing keep a pod's address for life: they are made to begin anew.</summary>
    /// <inheritdoc cref="NftablesNat.ForgetUnmasqueraded"/>
    public void ForgetUnmasqueraded(NatPlan plan, ImmutableArray<Prefix> podCidrs, IReadOnlySet<Ip> localAddresses) =>
        TryOpen(isWanted: false)?.ForgetUnmasqueraded(plan, podCidrs, localAddresses);

    public void Dispose() => _nftables?.Dispose();

    // Old and small kernels have nf_tables without NAT, and say so only when asked for it.
    private void ApplyBefore(NftablesNat nftables, NatChange change)
    {
        try
        {
            nftables.ApplyBefore(change);
        }
        catch (NetlinkException e) when (change.Kind == NatChangeKind.Rebuild && NftExplanation.IsUnsupported(e))
        {
            _lacks = e.Message;
            throw;
        }
    }

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
