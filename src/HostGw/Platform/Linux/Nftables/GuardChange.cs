using System.Collections.Immutable;
using System.Globalization;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>What turns the guards that the kernel has into the desired ones. Pure.</summary>
/// <param name="What">In words; empty: nothing is to be done.</param>
/// <param name="Desired">The table to create in the place of the observed ones; null: none, or parts of it only.</param>
/// <param name="Observed">The tables to remove.</param>
internal sealed record GuardChange(string What, NftTable? Desired, ImmutableArray<NftTable> Observed)
{
    private const int Named = 3;

    /// <summary>The elements to change where the table is there.</summary>
    public ImmutableArray<NftSetChange> Elements { get; private init; } = [];

    /// <summary>The chains whose rules are to be written again where the table is there.</summary>
    public ImmutableArray<NftRefill> Refills { get; private init; } = [];

    /// <summary>It removes the guards of a tunnel and keeps the others: not before the link is gone.</summary>
    public bool EndsTunnel => Desired is not null && !GuardRuleset.GuardsTunnel(Desired) && Observed.Any(GuardRuleset.GuardsTunnel);

    public static GuardChange None { get; } = new("", null, []);

    /// <param name="desired">Null: no guards.</param>
    /// <param name="observed">HostGw's tables of guards; none or one, unless somebody else made more.</param>
    public static GuardChange Between(GuardPlan? desired, ImmutableArray<NftTable> observed)
    {
        if (desired is null)
            return observed.IsEmpty ? None : new("no longer needed", null, observed);
        NftTable table = GuardRuleset.Of(desired);
        return (observed is [{ Family: NftFamily.Inet } present] ? Within(table, present) : null)
            ?? new(observed.IsEmpty ? "the table is missing" : TableDifference.Between([table], observed)!, table, observed);
    }

    /// <summary>What changes inside a table, or a part of one. Null: it has other chains or sets, and must be created again.</summary>
    public static GuardChange? Within(NftTable desired, NftTable observed)
    {
        if (TableDifference.OfShape(desired, observed) is not null)
            return null;
        List<NftRefill> refills = [];
        List<string> what = [];
        foreach (NftChain chain in desired.Chains)
        {
            NftChain present = observed.Chains.First(o => o.Name == chain.Name);
            if (TableDifference.OfRules(chain, present) is not { } reason)
                continue;
            refills.Add(new(desired.Family, chain, IsEmpty: present.Rules.IsEmpty));
            if (refills.Count == 1)
                what.Add(reason);
        }
        ImmutableArray<NftSetChange> elements = ElementDifference.Between([desired], [observed]);
        return refills.Count == 0 && elements.IsEmpty ? None : new(string.Join(", ", [.. what, .. elements.Select(Describe)]), null, [])
        {
            Elements = elements,
            Refills = [.. refills],
        };
    }

    // "nodes4: 192.0.2.3/32 added".
    private static string Describe(NftSetChange change) =>
        $"{change.Set}: {string.Join(" and ", [.. Part(change.Add, "added"), .. Part(change.Remove, "removed")])}";

    private static IEnumerable<string> Part(ImmutableArray<AddressRange> ranges, string verb) => ranges.Length switch
    {
        0 => [],
        <= Named => [$"{string.Join(' ', ranges)} {verb}"],
        var many => [string.Create(CultureInfo.InvariantCulture, $"{many:N0} {verb}")],
    };
}

/// <summary>A chain whose rules are to be written again.</summary>
/// <param name="IsEmpty">It has no rules that are to be deleted before.</param>
internal readonly record struct NftRefill(NftFamily Family, NftChain Chain, bool IsEmpty);

/// <summary>The parts of the guards that other programs have changed, as the kernel names them.</summary>
/// <param name="Everything">The table, a chain or a set, or more than the kernel could announce.</param>
/// <param name="Rules">Rules of some chain.</param>
/// <param name="Sets">The names of sets whose elements were changed.</param>
internal readonly record struct GuardParts(bool Everything, bool Rules, ImmutableHashSet<string> Sets)
{
    public static GuardParts None { get; } = new(false, false, []);

    public bool IsEmpty => !Everything && !Rules && Sets.IsEmpty;

    /// <param name="type">Of a message that concerns the table.</param>
    public GuardParts With(ushort type, ReadOnlySpan<byte> payload) => (byte)type switch
    {
        NFT_MSG_NEWRULE or NFT_MSG_DELRULE => this with { Rules = true },
        NFT_MSG_NEWSETELEM or NFT_MSG_DELSETELEM => this with { Sets = Sets.Add(SetOf(payload)) },
        _ => this with { Everything = true },
    };

    private static string SetOf(ReadOnlySpan<byte> payload) => NetlinkAttributes.ReadString(
        NetlinkAttributes.Find(NfGenMsg.AttributesOf(payload), NFTA_SET_ELEM_LIST_SET));
}

/// <summary>Collects what other programs change of the guards until a pass asks. Thread-safe.</summary>
internal sealed class GuardNews
{
    private readonly Lock _lock = new();
    private GuardParts _parts = GuardParts.None;

    public bool IsEmpty
    {
        get
        {
            lock (_lock)
                return _parts.IsEmpty;
        }
    }

    /// <inheritdoc cref="GuardParts.With"/>
    public void Add(ushort type, ReadOnlySpan<byte> payload)
    {
        lock (_lock)
            _parts = _parts.With(type, payload);
    }

    /// <summary>What has changed since this was called before.</summary>
    public GuardParts Take()
    {
        lock (_lock)
        {
            GuardParts parts = _parts;
            _parts = GuardParts.None;
            return parts;
        }
    }
}
