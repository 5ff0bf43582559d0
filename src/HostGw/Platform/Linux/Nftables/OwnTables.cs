using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Platform.Linux.Netlink;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>HostGw's tables of one name in the kernel: read, and changed by one transaction each. Not thread-safe.</summary>
/// <param name="advice">What an operator can do about a refusal.</param>
[SupportedOSPlatform("linux")]
internal sealed class OwnTables(NetlinkSocket socket, string name, NftAdvice advice)
{
    private readonly NftReader _reader = new(socket, name, advice);

    /// <summary>False in a kernel without nf_tables.</summary>
    public bool IsPresent => _reader.IsPresent();

    /// <inheritdoc cref="NftReader.Read"/>
    public ImmutableArray<NftTable> Read() => _reader.Read();

    /// <inheritdoc cref="NftReader.ReadPart"/>
    public NftTable ReadPart(NftTable part) => _reader.ReadPart(part);

    /// <inheritdoc cref="NftReader.ReadCounters"/>
    public Dictionary<string, long> ReadCounters(NftFamily family) => _reader.ReadCounters(family);

    /// <summary>Creates tables in the place of those that were read.</summary>
    /// <returns>The kernel's refusal, and nothing has changed; null: done.</returns>
    public NetlinkException? TryRebuild(ImmutableArray<NftTable> desired, ImmutableArray<NftTable> observed)
    {
        NftBatch batch = NewBatch();
        // Only existing tables are deleted: a deletion makes the kernel wait for all processors, 10 ms and more.
        foreach (NftTable table in observed)
            batch.Clear(table.Family);
        foreach (NftTable table in desired)
            batch.Build(table);
        return TryExecute(batch, NftExplanation.OfRebuild);
    }

    /// <summary>Whether the kernel would create a table, under another name: nothing is left of it.</summary>
    /// <returns>Its refusal; null: it would.</returns>
    public NetlinkException? Refuse(NftTable table)
    {
        NftBatch batch = new(socket.NextSequence, $"{name}-try");
        batch.Build(table);
        batch.Clear(table.Family);
        return TryExecute(batch, NftExplanation.OfRebuild);
    }

    /// <summary>Removes tables, whether they still exist or not.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public void Remove(ImmutableArray<NftTable> observed)
    {
        NftBatch batch = NewBatch();
        foreach (NftTable table in observed)
            batch.Clear(table.Family);
        Execute(batch);
    }

    /// <summary>Removes elements of sets and adds others.</summary>
    /// <inheritdoc cref="Apply(ImmutableArray{NftSetChange}, ImmutableArray{NftRefill})"/>
    public void Apply(ImmutableArray<NftSetChange> changes) => Apply(changes, []);

    /// <summary>Removes elements of sets and adds others, and writes the rules of chains again.</summary>
    /// <exception cref="NetlinkException">
    /// The kernel refused, and nothing has changed. With IsNotFound: the table was changed since it was read.
    /// </exception>
    public void Apply(ImmutableArray<NftSetChange> changes, ImmutableArray<NftRefill> refills)
    {
        NftBatch batch = NewBatch();
        foreach (NftRefill refill in refills)
            batch.Refill(refill.Family, refill.Chain, refill.IsEmpty);
        foreach (NftSetChange change in changes)
        {
            // Removals first: a new range may be inside an old one.
            batch.DeleteElements(change.Family, change.Set, change.Remove.AsSpan());
            batch.AddElements(change.Family, change.Set, change.Add.AsSpan());
        }
        if (!batch.IsEmpty)
            Execute(batch);
    }

    private NftBatch NewBatch() => new(socket.NextSequence, name);

    private void Execute(NftBatch batch)
    {
        if (TryExecute(batch, NftExplanation.Of) is { } refusal)
            throw refusal;
    }

    // Of several refusals the first is the cause; the others are consequences.
    private NetlinkException? TryExecute(NftBatch batch, Func<string, NetlinkException, NftAdvice, NetlinkException> explain)
    {
        NetlinkException? first = null;
        try
        {
            socket.ExecuteWhole("change nf_tables", batch.Finish(), (index, e) => first ??= explain(batch.What(index), e, advice));
        }
        catch (NetlinkException e)
        {
            return explain("change nf_tables", e, advice);
        }
        return first;
    }
}

/// <summary>What an operator can do where the kernel refuses.</summary>
/// <param name="Denied">The agent has not the right to.</param>
/// <param name="Missing">The kernel lacks something.</param>
internal sealed record NftAdvice(string Denied, string Missing)
{
    public static NftAdvice Nat { get; } = new(
        "this needs the capability NET_ADMIN; or set nat.backend: none",
        "the kernel lacks nf_tables NAT: it needs CONFIG_NF_TABLES, CONFIG_NFT_NAT, CONFIG_NFT_MASQ and CONFIG_NFT_FIB_INET " +
        "(modules nf_tables, nft_chain_nat, nft_masq, nft_fib_inet); or set nat.backend: iptables, or none");

    public static NftAdvice Guards { get; } = new(
        "this needs the capability NET_ADMIN",
        "the kernel lacks what the guards of probes and tunnel need: CONFIG_NF_TABLES, CONFIG_NF_TABLES_INET, CONFIG_NFT_CT and " +
        "CONFIG_NFT_FIB_INET (modules nf_tables, nft_ct, nft_fib_inet); or set tunnel.mode: off");
}

/// <summary>Adds to the kernel's refusal what an operator can do about it.</summary>
internal static class NftExplanation
{
    /// <summary>True if the kernel does not know a family, a chain type or an expression.</summary>
    public static bool IsUnsupported(NetlinkException failure) =>
        failure.Errno is Errno.EOPNOTSUPP or Errno.ENOENT or Errno.EAFNOSUPPORT or Errno.EPROTONOSUPPORT;

    public static NetlinkException Of(string what, NetlinkException failure, NftAdvice advice)
    {
        string? words = failure.Errno switch
        {
            Errno.EPERM => advice.Denied,
            // nfnetlink answers EINVAL for a subsystem that it does not have.
            Errno.EOPNOTSUPP or Errno.EAFNOSUPPORT or Errno.EPROTONOSUPPORT or Errno.EINVAL => advice.Missing,
            _ => null,
        };
        string?[] reasons = [failure.Explanation, words];
        return new(what, failure.Errno, string.Join("; ", reasons.OfType<string>()) is { Length: > 0 } all ? all : null);
    }

    /// <summary>The same for tables that are created: no object of HostGw's can be missing, so ENOENT means a kernel feature.</summary>
    public static NetlinkException OfRebuild(string what, NetlinkException failure, NftAdvice advice) =>
        failure.Errno == Errno.ENOENT ? new(what, failure.Errno, advice.Missing) : Of(what, failure, advice);
}
