using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>Keeps the masquerade rule in a table of nf_tables. Opened when first needed.</summary>
[SupportedOSPlatform("linux")]
internal sealed class NftablesBackend : INatBackend, IDisposable
{
    private NftablesNat? _nftables;
    private string? _unsupported;

    public string Name => "nftables";

    public long Writes => _nftables?.Writes ?? 0;

    /// <summary>The netlink port of HostGw's own changes; 0 while nothing is open.</summary>
    public uint PortId => _nftables?.PortId ?? 0;

    /// <summary>Foreign tables; null if the kernel has no netfilter.</summary>
    public ForeignTables? ForeignTables => TryOpen(isRequired: false)?.ForeignTables;

    /// <summary>Why this kernel cannot hold the rule in nf_tables; null: it can, as far as is known.</summary>
    public string? Obstacle() =>
        _unsupported ?? (TryOpen(isRequired: false) is { IsPresent: true } ? null : "the kernel has no nf_tables");

    public NatUpdate? Compare(NatPlan? desired, bool reread)
    {
        if (TryOpen(isRequired: desired is not null) is not { } nftables)
            return null;
        NatChange change = NatChange.Between(desired, nftables.Read());
        if (change.Kind == NatChangeKind.None)
            return null;
        return new(
            change.Kind == NatChangeKind.Elements ? "prefixes changed" : change.Reason,
            change.StartsMasquerading ? change.Desired : null,
            () => ApplyBeforeRoutes(nftables, change), () => nftables.ApplyAfterRoutes(change));
    }

    /// <inheritdoc cref="NftablesNat.DeleteUnmasqueraded"/>
    public void DeleteUnmasqueraded(NatPlan plan, ImmutableArray<Prefix> podCidrs, IReadOnlySet<Ip> localAddresses) =>
        TryOpen(isRequired: false)?.DeleteUnmasqueraded(plan, podCidrs, localAddresses);

    public void Dispose() => _nftables?.Dispose();

    // Old and minimal kernels have nf_tables without NAT. Only the creation of the table shows it.
    private void ApplyBeforeRoutes(NftablesNat nftables, NatChange change)
    {
        try
        {
            nftables.ApplyBeforeRoutes(change);
        }
        catch (NetlinkException e) when (change.Kind == NatChangeKind.Rebuild && NftExplanation.IsUnsupported(e))
        {
            _unsupported = e.Message;
            throw;
        }
    }

    // A kernel without netfilter has no rule of HostGw's: if none is desired, there is nothing to do.
    private NftablesNat? TryOpen(bool isRequired)
    {
        try
        {
            return _nftables ??= new();
        }
        catch (NetlinkException) when (!isRequired)
        {
            return null;
        }
    }
}

/// <summary>Reads and changes the masquerade rule in the kernel's nf_tables. Not thread-safe: one pass uses it at a time.</summary>
[SupportedOSPlatform("linux")]
internal sealed class NftablesNat : IDisposable
{
    private readonly NetlinkSocket _socket;
    private readonly OwnTables _tables;
    private readonly Conntrack _conntrack;
    private NftLayout _layout;

    /// <param name="layout">Tried first. If the kernel refuses NAT in inet tables, each family gets a table.</param>
    /// <exception cref="NetlinkException">The kernel has no netfilter, or forbids the socket.</exception>
    public NftablesNat(NftLayout layout = NftLayout.Inet)
    {
        _layout = layout;
        try
        {
            _socket = new NetlinkSocket(NfTables.NETLINK_NETFILTER);
        }
        catch (NetlinkException e)
        {
            throw NftExplanation.Of("open nf_tables", e, NftAdvice.Nat);
        }
        _tables = new(_socket, MasqueradeRuleset.TableName, NftAdvice.Nat);
        _conntrack = new Conntrack(_socket);
        ForeignTables = new ForeignTables(_socket);
    }

    /// <summary>The port id that notifications of HostGw's own changes carry.</summary>
    public uint PortId => _socket.PortId;

    /// <summary>False in a kernel without nf_tables, which may still have connection tracking.</summary>
    public bool IsPresent => _tables.IsPresent;

    public ForeignTables ForeignTables { get; }

    /// <summary>The number of changing messages sent.</summary>
    public long Writes => _socket.Writes;

    /// <summary>HostGw's tables; null if there are none.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public NatState? Read() => _tables.Read() is { IsEmpty: false } tables ? new(tables) : null;

    /// <summary>The half before the change of routes: the table is created again or removed, or elements are added.</summary>
    /// <exception cref="NetlinkException">
    /// The kernel refused, and nothing has changed. With IsNotFound: the table was changed since it was read, so read it again.
    /// </exception>
    public void ApplyBeforeRoutes(NatChange change)
    {
        switch (change.Kind)
        {
            case NatChangeKind.Remove:
                _tables.Remove(change.Observed!.Tables);
                break;
            case NatChangeKind.Rebuild:
                Rebuild(change.Transition!, change.Observed);
                break;
            case NatChangeKind.Elements:
                _tables.Apply(change.BeforeRoutes);
                break;
        }
    }

    /// <summary>The half after the change of routes: elements are removed.</summary>
    /// <inheritdoc cref="ApplyBeforeRoutes"/>
    public void ApplyAfterRoutes(NatChange change) =>
        _tables.Apply(change.AfterRoutes(change.Kind == NatChangeKind.Elements ? change.Observed!.Layout : _layout));

    /// <summary>Removes all of HostGw's tables. Success if there are none.</summary>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public bool Remove()
    {
        if (Read() is not { } state)
            return false;
        _tables.Remove(state.Tables);
        return true;
    }

    /// <summary>
    /// Deletes the pods' connections that should be masqueraded and are not: a connection keeps the source address that it began
    /// with. Their next packets begin new connections, through the rule. To be called after a change with
    /// <see cref="NatChange.StartsMasquerading"/>.
    /// </summary>
    /// <param name="podCidrs">This node's: the host's own connections are left alone even if every source is masqueraded.</param>
    /// <param name="localAddresses">This host's addresses: traffic to them is never masqueraded.</param>
    /// <returns>The number of deleted connections; 0 if the kernel tracks none.</returns>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public int DeleteUnmasqueraded(NatPlan plan, ImmutableArray<Prefix> podCidrs, IReadOnlySet<Ip> localAddresses) =>
        _conntrack.Delete(new UnmasqueradedFlows(plan, podCidrs, localAddresses));

    public void Dispose() => _socket.Dispose();

    private void Rebuild(NatPlan plan, NatState? observed)
    {
        if (TryRebuild(plan, _layout, observed) is not { } refusal)
            return;

        // Decided by the kernel's answer, not by its version: distributions backport.
        bool otherLayout = _layout == NftLayout.Inet && NftExplanation.IsUnsupported(refusal);
        if (!otherLayout || TryRebuild(plan, NftLayout.PerFamily, observed) is not null)
            throw refusal;
        _layout = NftLayout.PerFamily;
    }

    private NetlinkException? TryRebuild(NatPlan plan, NftLayout layout, NatState? observed) =>
        _tables.TryRebuild(MasqueradeRuleset.Of(plan, layout), observed?.Tables ?? []);
}
