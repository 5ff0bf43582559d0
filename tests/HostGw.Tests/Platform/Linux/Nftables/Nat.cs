using System.Collections.Immutable;
using HostGw.Planning;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Tests.Platform.Linux.Nftables;

/// <summary>Plans and states to test with, and what the kernel makes of a change.</summary>
internal static class Nat
{
    public static ImmutableArray<Prefix> Prefixes(params string[] texts) => [.. texts.Select(Prefix.Parse).Order()];

    public static NatPlan Plan(NatSource source = NatSource.Pods) => new(
        source, IPv4: true, IPv6: true, RandomFully: source == NatSource.Pods,
        Sources: source == NatSource.Pods ? Prefixes("10.244.1.0/24", "fd00:10:244:1::/64") : [],
        Exempt: Prefixes("10.244.0.0/16", "224.0.0.0/4", "fd00:10:244::/56", "ff00::/8"));

    public static NftTable Inet(NatPlan plan) => MasqueradeRuleset.Of(plan, NftLayout.Inet).Single();

    public static NatState State(NatPlan plan, NftLayout layout = NftLayout.Inet) => new(MasqueradeRuleset.Of(plan, layout));

    public static NatState Holding(this NatState state, string set, params string[] ranges) =>
        state.With(set, s => s with { Elements = [.. ranges.Select(Range).Order()] });

    public static NatState With(this NatState state, string set, Func<NftSet, NftSet> change) =>
        new([.. state.Tables.Select(t => t with { Sets = [.. t.Sets.Select(s => s.Name == set ? change(s) : s)] })]);

    /// <summary>Reads "10.0.0.0/8" or "10.0.0.1-10.0.0.9".</summary>
    public static AddressRange Range(string text) => text.Split('-') is [string first, string last]
        ? new(Ip.Parse(first), Ip.Parse(last))
        : AddressRange.Of(Prefix.Parse(text));

    /// <summary>The state after the first half.</summary>
    public static NatState? Before(NatState? state, NatChange change) => change.Kind switch
    {
        NatChangeKind.Remove => null,
        NatChangeKind.Rebuild => State(change.Transition!),
        _ => Apply(state, change.BeforeRoutes),
    };

    /// <summary>The state after the second half.</summary>
    public static NatState? After(NatState? state, NatChange change) =>
        Apply(state, change.AfterRoutes(state?.Layout ?? NftLayout.Inet));

    // As strict as the kernel: what goes must be there, what comes must overlap nothing.
    private static NatState? Apply(NatState? state, ImmutableArray<NftSetChange> changes)
    {
        foreach (NftSetChange change in changes)
            state = state!.With(change.Set, set => set with { Elements = Apply(set, change) });
        return state;
    }

    private static ImmutableArray<AddressRange> Apply(NftSet set, NftSetChange change)
    {
        SortedSet<AddressRange> elements = [.. set.Elements];
        foreach (AddressRange range in change.Remove)
            Assert.True(elements.Remove(range), $"{set.Name} has no {range} to delete");
        foreach (AddressRange range in change.Add)
        {
            Assert.DoesNotContain(elements, e => e.First.CompareTo(range.Last) <= 0 && range.First.CompareTo(e.Last) <= 0);
            elements.Add(range);
        }
        return [.. elements];
    }
}
