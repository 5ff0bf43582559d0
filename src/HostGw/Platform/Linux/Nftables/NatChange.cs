using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>The elements that one set loses and gets.</summary>
internal sealed record NftSetChange(
    NftFamily Family, string Set, ImmutableArray<AddressRange> Remove, ImmutableArray<AddressRange> Add);

internal enum NatChangeKind
{
    None,

    /// <summary>The structure is right: only elements come or go.</summary>
    Elements,

    /// <summary>The table is made anew, in one transaction.</summary>
    Rebuild,

    /// <summary>No NAT is wanted and a table of ours stands.</summary>
    Remove,
}

/// <summary>What turns the observed NAT into the desired one, in two halves: what goes before the routes and what after them.</summary>
/// <param name="Reason">Why the table must be made anew or removed, in words; empty otherwise.</param>
/// <param name="Middle">What stands between the halves: everything observed or desired is exempt then.</param>
internal sealed record NatChange(NatChangeKind Kind, string Reason, NatPlan? Desired, NatPlan? Middle, NatState? Observed)
{
    private static readonly NatChange Nothing = new(NatChangeKind.None, "", null, null, null);

    /// <summary>Pods get masqueraded that were not: their flows in conntrack that began without are to be deleted.</summary>
    public bool StartsMasquerading =>
        Kind == NatChangeKind.Rebuild || Before.Any(c => MasqueradeRuleset.HoldsSources(c.Set) && !c.Add.IsEmpty);

    /// <summary>The elements that change before the routes; empty unless the change is of elements only.</summary>
    public ImmutableArray<NftSetChange> Before => Kind == NatChangeKind.Elements
        ? NatElements.Between(MasqueradeRuleset.Of(Middle!, Observed!.Layout), Observed.Tables)
        : [];

    /// <param name="desired">Null where no NAT is wanted.</param>
    /// <param name="observed">Null where no table of ours stands.</param>
    public static NatChange Between(NatPlan? desired, NatState? observed)
    {
        if (desired is null or { IPv4: false, IPv6: false })
            return observed is null ? Nothing : new(NatChangeKind.Remove, "NAT is off", null, null, observed);
        if (observed is null)
            return new(NatChangeKind.Rebuild, "the table is missing", desired, desired, null);

        ImmutableArray<NftTable> tables = MasqueradeRuleset.Of(desired, observed.Layout);
        NatPlan middle = NatElements.Union(desired, observed);
        if (NatDifference.Between(tables, observed.Tables) is { } reason)
            return new(NatChangeKind.Rebuild, reason, desired, middle, observed);

        return NatElements.Between(tables, observed.Tables).IsEmpty
            ? Nothing
            : new(NatChangeKind.Elements, "", desired, middle, observed);
    }

    /// <summary>The elements that change after the routes, in tables of this layout.</summary>
    public ImmutableArray<NftSetChange> After(NftLayout layout) => Kind is NatChangeKind.Elements or NatChangeKind.Rebuild
        ? NatElements.Between(MasqueradeRuleset.Of(Desired!, layout), MasqueradeRuleset.Of(Middle!, layout))
        : [];
}
