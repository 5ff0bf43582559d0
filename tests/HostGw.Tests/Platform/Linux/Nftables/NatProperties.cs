using System.Collections.Immutable;
using FsCheck;
using FsCheck.Fluent;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Tests.Platform.Linux.Nftables;

public class NatProperties
{
    // Few bits at each end of the family: neighbours, nesting and the last address come often.
    private static readonly Gen<Prefix> AnyPrefix =
        from isV4 in Gen.Elements(true, true, false)
        from fromEnd in Gen.Elements(false, true)
        from bits in Gen.Choose(0, 31)
        from host in Gen.Choose(0, 6)
        let size = isV4 ? 32 : 128
        let value = fromEnd ? UInt128.MaxValue - (uint)bits : (uint)bits
        select new Prefix(isV4 ? Ip.V4((uint)value) : Ip.V6(value), (byte)(host == 6 ? 0 : size - host)).Aligned;

    private static readonly Gen<ImmutableArray<Prefix>> Disjoint = AnyPrefix.ListOf().Select(Minimal);

    private static readonly Gen<NatPlan> AnyPlan =
        from source in Gen.Elements(NatSource.Pods, NatSource.Any)
        from families in Gen.Elements((true, true), (true, false), (false, true))
        from randomFully in Gen.Elements(true, false)
        from sources in Disjoint
        from exempt in Disjoint
        select new NatPlan(source, families.Item1, families.Item2, randomFully, sources, exempt);

    // Nothing, one of our own states, or one into which somebody put ranges.
    private static readonly Gen<NatState?> AnyState =
        from kind in Gen.Choose(0, 4)
        from plan in AnyPlan
        from ranges in Disjoint
        let state = Nat.State(plan)
        select kind switch
        {
            0 => null,
            1 => state.With("exempt4", s => s with { Elements = [.. Cut(ranges.Where(r => r.IsIPv4))] }),
            2 => state.With("exempt6", s => s with { Elements = [.. Cut(ranges.Where(r => r.IsIPv6))] }),
            _ => state,
        };

    private static readonly Arbitrary<(NatPlan? Desired, NatState? Observed)> Situations = Arb.From(
        from plan in Gen.OneOf(
            AnyPlan.Select(p => (NatPlan?)p),
            Gen.Frequency((1, Gen.Constant<NatPlan?>(null)), (9, AnyPlan.Select(p => (NatPlan?)p))))
        from state in Gen.OneOf(AnyState, Gen.Constant(plan is null ? null : Nat.State(plan)))
        select (plan, state));

    [Fact]
    public void Both_halves_lead_to_what_is_wanted_and_then_nothing_is_left_to_do() =>
        Prop.ForAll(Situations, situation =>
        {
            NatChange change = NatChange.Between(situation.Desired, situation.Observed);
            NatState? reached = Nat.After(Nat.Before(situation.Observed, change), change);
            return NatChange.Between(situation.Desired, reached).Kind == NatChangeKind.None;
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void Between_the_halves_every_prefix_that_was_or_will_be_exempt_is() =>
        Prop.ForAll(Situations, situation =>
        {
            NatChange change = NatChange.Between(situation.Desired, situation.Observed);
            NatState? middle = Nat.Before(situation.Observed, change);
            return situation.Desired is null || middle is null ||
                Exempt(Nat.State(situation.Desired)).Concat(Exempt(situation.Observed))
                    .Where(r => r.AsPrefix() is not null && (r.First.IsIPv4 ? situation.Desired.IPv4 : situation.Desired.IPv6))
                    .All(r => Exempt(middle).Any(m => m.First.CompareTo(r.First) <= 0 && m.Last.CompareTo(r.Last) >= 0));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void What_is_written_is_read_back() =>
        Prop.ForAll(Arb.From(Disjoint), prefixes =>
        {
            ImmutableArray<AddressRange> ranges = [.. prefixes.Where(p => p.IsIPv6).Select(AddressRange.Of)];
            NetlinkWriter writer = new();
            NftElements.Write(writer, MasqueradeRuleset.TableName, "exempt6", ranges.AsSpan(), () =>
            {
                writer.Begin(0, 0, 0);
                writer.Write(new NfGenMsg(1));
            });
            List<IntervalKey> keys = [];
            var messages = new NetlinkMessages(writer.Written);
            while (messages.Next())
                NftElements.Read(messages.Payload, keys);
            keys.Reverse();
            return IntervalKeys.Pair(keys).SequenceEqual(ranges);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    private static IEnumerable<AddressRange> Exempt(NatState? state) =>
        (state?.Tables ?? []).SelectMany(t => t.Sets).Where(s => MasqueradeRuleset.HoldsDestinations(s.Name)).SelectMany(s => s.Elements);

    private static ImmutableArray<Prefix> Minimal(IEnumerable<Prefix> prefixes)
    {
        List<Prefix> minimal = [];
        foreach (Prefix prefix in prefixes.Order())
        {
            if (minimal.Count == 0 || !minimal[^1].Contains(prefix))
                minimal.Add(prefix);
        }
        return [.. minimal];
    }

    // A person's ranges need not be prefixes: each here loses its first address where it has several.
    private static IEnumerable<AddressRange> Cut(IEnumerable<Prefix> prefixes) =>
        prefixes.Select(AddressRange.Of).Select(r => r.First == r.Last ? r : r with { First = r.First.Plus(1) });
}
