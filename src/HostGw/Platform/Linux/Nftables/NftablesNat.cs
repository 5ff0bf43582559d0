using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>The masquerade rule in the kernel's nf_tables. Not thread-safe: one pass uses it at a time.</summary>
[SupportedOSPlatform("linux")]
internal sealed class NftablesNat : IDisposable
{
    private readonly NetlinkSocket _socket;
    private readonly NftReader _reader;
    private readonly NftWriter _writer;
    private readonly Conntrack _conntrack;
    private NftLayout _layout;

    /// <param name="layout">Tried first. A kernel that refuses NAT in inet tables gets a table per family.</param>
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
        _writer = new NftWriter(_socket);
        _conntrack = new Conntrack(_socket);
        Census = new NftCensus(_socket);
    }

    /// <summary>Notifications of our own changes carry this port id.</summary>
    public uint PortId => _socket.PortId;

    /// <summary>False in a kernel without nf_tables; it may track connections all the same.</summary>
    public bool IsPresent => _reader.IsPresent();

    /// <summary>What others have there.</summary>
    public NftCensus Census { get; }

    /// <summary>How many messages that change something have been sent.</summary>
    public long Writes => _socket.Writes;

    /// <summary>What stands; null where no table of ours does.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public NatState? Read() => _reader.Read();

    /// <summary>The half that goes before the routes: the table made anew or removed, elements that come.</summary>
    /// <exception cref="NetlinkException">
    /// The kernel refused, and nothing has changed. Also where IsNotFound: the table was changed since it was read, so read again.
    /// </exception>
    public void ApplyBefore(NatChange change)
    {
        switch (change.Kind)
        {
            case NatChangeKind.Remove:
                _writer.Remove(change.Observed!.Tables.Select(t => t.Family));
                break;
            case NatChangeKind.Rebuild:
                Rebuild(change.Middle!, change.Observed);
                break;
            case NatChangeKind.Elements:
                _writer.Apply(change.Before);
                break;
        }
    }

    /// <summary>The half that goes after the routes: elements that leave.</summary>
    /// <inheritdoc cref="ApplyBefore"/>
    public void ApplyAfter(NatChange change) =>
        _writer.Apply(change.After(change.Kind == NatChangeKind.Elements ? change.Observed!.Layout : _layout));

    /// <summary>Removes every table of ours; what is not there is removed already.</summary>
    /// <returns>Whether one stood.</returns>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public bool Remove()
    {
        if (Read() is not { } state)
            return false;
        _writer.Remove(state.Tables.Select(t => t.Family));
        return true;
    }

    /// <summary>Deletes the connections of our pods that should be masqueraded and are not. Call it where <see cref="NatChange.StartsMasquerading"/>.</summary>
    /// <param name="podCidrs">This node's own: even where every source is masqueraded, the host's own connections are left alone.</param>
    /// <param name="localAddresses">This host's own addresses, which are never masqueraded to.</param>
    /// <returns>How many were deleted; 0 also where the kernel tracks no connections.</returns>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public int ForgetUnmasqueraded(NatPlan plan, ImmutableArray<Prefix> podCidrs, IReadOnlySet<Ip> localAddresses) =>
        _conntrack.Forget(new UnmasqueradedFlows(plan, podCidrs, localAddresses));

    public void Dispose() => _socket.Dispose();

    private void Rebuild(NatPlan plan, NatState? observed)
    {
        if (_writer.TryRebuild(plan, _layout, observed) is not { } refusal)
            return;

        // By the kernel's answer, not by its version: distributions backport.
        if (_layout == NftLayout.PerFamily || !NftExplanation.IsUnsupported(refusal) || _writer.TryRebuild(plan, NftLayout.PerFamily, observed) is not null)
            throw refusal;
        _layout = NftLayout.PerFamily;
    }
}
