using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Platform.Linux.Nftables;

internal enum NatChangeKind
{
    None,

    /// <summary>The tables are right: only set elements change.</summary>
    Elements,

    /// <summary>The tables are created again, in one transaction.</summary>
    Rebuild,

    /// <summary>No NAT is desired and a table of HostGw's exists.</summary>
    Remove,
}

/// <summary>What turns the observed NAT into the desired one, in two halves: before the change of routes and after it.</summary>
/// <param name="Reason">Why the tables must be created again or removed, in words; otherwise empty.</param>
/// <param name="Transition">The plan between the halves: every prefix that is exempt now or will be is exempt.</param>
internal sealed record NatChange(NatChangeKind Kind, string Reason, NatPlan? Desired, NatPlan? Transition, NatState? Observed)
{
    private static readonly NatChange Nothing = new(NatChangeKind.None, "", null, null, null);

    /// <summary>Pods are masqueraded that were not before: their connections that began without are to be deleted.</summary>
    public bool StartsMasquerading =>
        Kind == NatChangeKind.Rebuild || BeforeRoutes.Any(c => MasqueradeRuleset.HoldsSources(c.Set) && !c.Add.IsEmpty);

    /// <summary>The elements that change before the routes; none unless the change is of elements only.</summary>
    public ImmutableArray<NftSetChange> BeforeRoutes => Kind == NatChangeKind.Elements
        ? ElementDifference.Between(MasqueradeRuleset.Of(Transition!, Observed!.Layout), Observed.Tables)
        : [];

    /// <summary>The elements that change after the routes, in tables of this layout.</summary>
    public ImmutableArray<NftSetChange> AfterRoutes(NftLayout layout) => Kind is NatChangeKind.Elements or NatChangeKind.Rebuild
        ? ElementDifference.Between(MasqueradeRuleset.Of(Desired!, layout), MasqueradeRuleset.Of(Transition!, layout))
        : [];

    /// <param name="desired">Null: no NAT.</param>
    /// <param name="observed">Null: there is no table of HostGw's.</param>
    public static NatChange Between(NatPlan? desired, NatState? observed)
    {
        if (desired is null or { IPv4: false, IPv6: false })
            return observed is null ? Nothing : new(NatChangeKind.Remove, "NAT is off", null, null, observed);
        if (observed is null)
            return new(NatChangeKind.Rebuild, "the table is missing", desired, desired, null);

        ImmutableArray<NftTable> tables = MasqueradeRuleset.Of(desired, observed.Layout);
        NatPlan transition = Union(desired, observed);
        if (TableDifference.Between(tables, observed.Tables) is { } reason)
            return new(NatChangeKind.Rebuild, reason, desired, transition, observed);

        return ElementDifference.Between(tables, observed.Tables).IsEmpty
            ? Nothing
            : new(NatChangeKind.Elements, "", desired, transition, observed);
    }

    private static NatPlan Union(NatPlan desired, NatState observed)
    {
        NftSet[] sets = [.. observed.Tables.SelectMany(t => t.Sets)];
        return desired with
        {
            Sources = Union(desired.Sources, sets.Where(s => MasqueradeRuleset.HoldsSources(s.Name))),
            Exempt = Union(desired.Exempt, sets.Where(s => MasqueradeRuleset.HoldsDestinations(s.Name))),
        };
    }

    // A range that is no prefix is foreign and removed at once. Prefixes never overlap in part: one inside another is omitted.
    private static ImmutableArray<Prefix> Union(ImmutableArray<Prefix> desired, IEnumerable<NftSet> observed)
    {
        IEnumerable<Prefix> installed = observed.SelectMany(s => s.Elements).Select(r => r.AsPrefix()).OfType<Prefix>();
        var union = ImmutableArray.CreateBuilder<Prefix>();
        foreach (Prefix prefix in desired.Concat(installed).Order())
        {
            if (union.Count == 0 || !union[^1].Contains(prefix))
                union.Add(prefix);
        }
        return union.ToImmutable();
    }
}

/// <summary>The elements removed from and added to one set.</summary>
internal sealed record NftSetChange(NftFamily Family, string Set, ImmutableArray<AddressRange> Remove, ImmutableArray<AddressRange> Add);

/// <summary>Compares the elements of sets. Pure.</summary>
internal static class ElementDifference
{
    /// <summary>The changes that turn the observed elements into the desired ones; sets without a difference are omitted.</summary>
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

    // Both lists are sorted: one merge.
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

    private static ImmutableArray<AddressRange> Find(ImmutableArray<NftTable> tables, NftFamily family, string set) =>
        tables.FirstOrDefault(t => t.Family == family)?.Sets.FirstOrDefault(s => s.Name == set)?.Elements ?? [];
}
