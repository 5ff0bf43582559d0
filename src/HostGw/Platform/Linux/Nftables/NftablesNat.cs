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

    // Old and minimal kernels have nf_tables without NAT. They only say so when the table is created.
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
    private readonly NftReader _reader;
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
            throw NftExplanation.Of("open nf_tables", e);
        }
        _reader = new NftReader(_socket);
        _conntrack = new Conntrack(_socket);
        ForeignTables = new ForeignTables(_socket);
    }

    /// <summary>The port id that notifications of HostGw's own changes carry.</summary>
    public uint PortId => _socket.PortId;

    /// <summary>False in a kernel without nf_tables, which may still have connection tracking.</summary>
    public bool IsPresent => _reader.IsPresent();

    public ForeignTables ForeignTables { get; }

    /// <summary>The number of changing messages sent.</summary>
    public long Writes => _socket.Writes;

    /// <summary>HostGw's tables; null if there are none.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public NatState? Read() => _reader.Read();

    /// <summary>The half before the change of routes: the table is created again or removed, or elements are added.</summary>
    /// <exception cref="NetlinkException">
    /// The kernel refused, and nothing has changed. With IsNotFound: the table was changed since it was read, so read it again.
    /// </exception>
    public void ApplyBeforeRoutes(NatChange change)
    {
        switch (change.Kind)
        {
            case NatChangeKind.Remove:
                Remove(change.Observed!);
                break;
            case NatChangeKind.Rebuild:
                Rebuild(change.Transition!, change.Observed);
                break;
            case NatChangeKind.Elements:
                Apply(change.BeforeRoutes);
                break;
        }
    }

    /// <summary>The half after the change of routes: elements are removed.</summary>
    /// <inheritdoc cref="ApplyBeforeRoutes"/>
    public void ApplyAfterRoutes(NatChange change) =>
        Apply(change.AfterRoutes(change.Kind == NatChangeKind.Elements ? change.Observed!.Layout : _layout));

    /// <summary>Removes all of HostGw's tables. Success if there are none.</summary>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public bool Remove()
    {
        if (Read() is not { } state)
            return false;
        Remove(state);
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

    private NetlinkException? TryRebuild(NatPlan plan, NftLayout layout, NatState? observed)
    {
        var batch = new NftBatch(_socket.NextSequence);
        // Only existing tables are deleted: a deletion makes the kernel wait for all processors, 10 ms and more.
        foreach (NftTable table in observed?.Tables ?? [])
            batch.Clear(table.Family);
        foreach (NftTable table in MasqueradeRuleset.Of(plan, layout))
            batch.Build(table);
        return TryExecute(batch, NftExplanation.OfRebuild);
    }

    private void Remove(NatState state)
    {
        var batch = new NftBatch(_socket.NextSequence);
        foreach (NftTable table in state.Tables)
            batch.Clear(table.Family);
        Execute(batch);
    }

    private void Apply(ImmutableArray<NftSetChange> changes)
    {
        var batch = new NftBatch(_socket.NextSequence);
        foreach (NftSetChange change in changes)
        {
            // Removals first: a new range may be inside an old one.
            batch.DeleteElements(change.Family, change.Set, change.Remove.AsSpan());
            batch.AddElements(change.Family, change.Set, change.Add.AsSpan());
        }
        if (!batch.IsEmpty)
            Execute(batch);
    }

    private void Execute(NftBatch batch)
    {
        if (TryExecute(batch, NftExplanation.Of) is { } refusal)
            throw refusal;
    }

    // Of several refusals the first is the cause; the others are consequences.
    private NetlinkException? TryExecute(NftBatch batch, Func<string, NetlinkException, NetlinkException> explain)
    {
        NetlinkException? first = null;
        try
        {
            _socket.ExecuteWhole("change nf_tables", batch.Finish(), (index, e) => first ??= explain(batch.What(index), e));
        }
        catch (NetlinkException e)
        {
            return explain("change nf_tables", e);
        }
        return first;
    }
}

/// <summary>Adds to the kernel's refusal what an operator can do about it.</summary>
internal static class NftExplanation
{
    private const string NoCapability = "this needs the capability NET_ADMIN; or set nat.backend: none";

    private const string NoNat =
        "the kernel lacks nf_tables NAT: it needs CONFIG_NF_TABLES, CONFIG_NFT_NAT, CONFIG_NFT_MASQ and CONFIG_NFT_FIB_INET " +
        "(modules nf_tables, nft_chain_nat, nft_masq, nft_fib_inet); or set nat.backend: iptables, or none";

    /// <summary>True if the kernel does not know a family, a chain type or an expression.</summary>
    public static bool IsUnsupported(NetlinkException failure) =>
        failure.Errno is Errno.EOPNOTSUPP or Errno.ENOENT or Errno.EAFNOSUPPORT or Errno.EPROTONOSUPPORT;

    public static NetlinkException Of(string what, NetlinkException failure)
    {
        string? advice = failure.Errno switch
        {
            Errno.EPERM => NoCapability,
            // nfnetlink answers EINVAL for a subsystem that it does not have.
            Errno.EOPNOTSUPP or Errno.EAFNOSUPPORT or Errno.EPROTONOSUPPORT or Errno.EINVAL => NoNat,
            _ => null,
        };
        string?[] reasons = [failure.Explanation, advice];
        return new(what, failure.Errno, string.Join("; ", reasons.OfType<string>()) is { Length: > 0 } all ? all : null);
    }

    /// <summary>The same for tables that are created: no object of HostGw's can be missing, so ENOENT means a kernel feature.</summary>
    public static NetlinkException OfRebuild(string what, NetlinkException failure) =>
        failure.Errno == Errno.ENOENT ? new(what, failure.Errno, NoNat) : Of(what, failure);
}
