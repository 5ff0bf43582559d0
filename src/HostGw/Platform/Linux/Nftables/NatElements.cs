using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>Compares and joins the elements of sets. Pure.</summary>
internal static class NatElements
{
    /// <summary>What each desired set must lose and get; sets that are right are left out.</summary>
    public static ImmutableArray<NftSetChange> Between(ImmutableArray<NftTable> desired, ImmutableArray<NftTable> observed)
    {
        var changes = ImmutableArray.CreateBuilder<NftSetChange>();
        foreach (NftTable table in desired)
        {
            foreach (NftSet set in table.Sets)
            {
                NftSetChange change = Between(table.Family, set, Find(observed, table.Family, set.Name));
                if (!change.Remove.IsEmpty || !change.Add.IsEmpty)
                    changes.Add(change);
            }
        }
        return changes.ToImmutable();
    }

    /// <summary>The desired plan with every observed prefix besides, those inside another dropped.</summary>
    public static NatPlan Union(NatPlan desired, NatState observed)
    {
        NftSet[] sets = [.. observed.Tables.SelectMany(t => t.Sets)];
        return desired with
        {
            Sources = Union(desired.Sources, sets.Where(s => MasqueradeRuleset.HoldsSources(s.Name))),
            Exempt = Union(desired.Exempt, sets.Where(s => MasqueradeRuleset.HoldsDestinations(s.Name))),
        };
    }

    // Both lists are sorted: one walk along the two.
    private static NftSetChange Between(NftFamily family, NftSet desired, ImmutableArray<AddressRange> observed)
    {
        List<AddressRange> remove = [], add = [];
        int d = 0, o = 0;
        while (d < desired.Elements.Length || o < observed.Length)
        {
            int order = d == desired.Elements.Length ? 1 : o == observed.Length ? -1 : desired.Elements[d].CompareTo(observed[o]);
            if (order < 0)
                add.Add(desired.Elements[d]);
            else if (order > 0)
                remove.Add(observed[o]);
            d += order <= 0 ? 1 : 0;
            o += order >= 0 ? 1 : 0;
        }
        return new(family, desired.Name, [.. remove], [.. add]);
    }

    // A range that is no prefix is not from us: it goes at once, and two prefixes never overlap in part.
    private static ImmutableArray<Prefix> Union(ImmutableArray<Prefix> desired, IEnumerable<NftSet> observed)
    {
        IEnumerable<Prefix> standing = observed.SelectMany(s => s.Elements).Select(r => r.AsPrefix()).OfType<Prefix>();
        var union = ImmutableArray.CreateBuilder<Prefix>();
        foreach (Prefix prefix in desired.Concat(standing).Order())
        {
            if (union.Count == 0 || !union[^1].Contains(prefix))
                union.Add(prefix);
        }
        return union.ToImmutable();
    }

    private static ImmutableArray<AddressRange> Find(ImmutableArray<NftTable> tables, NftFamily family, string set) =>
        tables.FirstOrDefault(t => t.Family == family)?.Sets.FirstOrDefault(s => s.Name == set)?.Elements ?? [];
}
