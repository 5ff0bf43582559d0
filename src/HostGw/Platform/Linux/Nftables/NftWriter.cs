using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>Changes nf_tables, one transaction a call.</summary>
[SupportedOSPlatform("linux")]
internal sealed class NftWriter(NetlinkSocket socket)
{
    /// <summary>Makes our tables anew in this layout, and removes those observed besides.</summary>
    /// <returns>The kernel's refusal; null: done.</returns>
    public NetlinkException? TryRebuild(NatPlan plan, NftLayout layout, NatState? observed)
    {
        ImmutableArray<NftTable> tables = MasqueradeRuleset.Of(plan, layout);
        var batch = new NftBatch(socket.NextSequence);
        // Only where one stood: to delete makes the kernel wait for all its processors, 10 ms and more.
        foreach (NftTable table in observed?.Tables ?? [])
            batch.Clear(table.Family);
        foreach (NftTable table in tables)
            batch.Build(table);
        return Execute(batch, NftExplanation.OfRebuild);
    }

    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public void Apply(ImmutableArray<NftSetChange> changes)
    {
        var batch = new NftBatch(socket.NextSequence);
        foreach (NftSetChange change in changes)
        {
            // Removals first: what comes may lie inside what goes.
            batch.DeleteElements(change.Family, change.Set, change.Remove.AsSpan());
            batch.AddElements(change.Family, change.Set, change.Add.AsSpan());
        }
        if (!batch.IsEmpty && Execute(batch, NftExplanation.Of) is { } refusal)
            throw refusal;
    }

    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public void Remove(IEnumerable<NftFamily> families)
    {
        var batch = new NftBatch(socket.NextSequence);
        foreach (NftFamily family in families)
            batch.Clear(family);
        if (Execute(batch, NftExplanation.Of) is { } refusal)
            throw refusal;
    }

    // Of several refusals the first is the cause: the others stumbled over it.
    private NetlinkException? Execute(NftBatch batch, Func<string, NetlinkException, NetlinkException> explain)
    {
        NetlinkException? first = null;
        try
        {
            socket.ExecuteWhole("change nf_tables", batch.Finish(), (index, e) => first ??= explain(batch.What(index), e));
        }
        catch (NetlinkException e)
        {
            return explain("change nf_tables", e);
        }
        return first;
    }
}
