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
                HashSet<AddressRange> wanted = [.. set.Elements];
                HashSet<AddressRange> found = [.. Find(observed, table.Family, set.Name)];
                NftSetChange change = new(
                    table.Family, set.Name,
                    [.. found.Where(r => !wanted.Contains(r)).Order()],
                    [.. wanted.Where(r => !found.Contains(r)).Order()]);
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
