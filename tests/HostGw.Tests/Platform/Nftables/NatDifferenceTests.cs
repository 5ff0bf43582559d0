using System.Collections.Immutable;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Tests.Platform.Nftables;

public class NatDifferenceTests
{
    private static readonly NftTable Right = Nat.Inet(Nat.Plan());

    // What somebody did to the table, and how the difference is told.
    public static TheoryData<string, string> Cases => new()
    {
        { "dormant", "the table's flags are 1" },
        { "counter object", "the table holds objects that are not ours" },
        { "no chain", "chain postrouting is missing" },
        { "another chain", "chain mine is not ours" },
        { "no set", "set pods4 is missing" },
        { "another set", "set mine is not ours" },
        { "set with timeouts", "set exempt4 is of another kind" },
        { "priority", "chain postrouting hangs elsewhere" },
        { "hook", "chain postrouting hangs elsewhere" },
        { "type", "chain postrouting hangs elsewhere" },
        { "policy", "chain postrouting has another policy" },
        { "no rule", "chain postrouting has 1 rules, not 2" },
        { "rule twice", "chain postrouting has 3 rules, not 2" },
        { "rules swapped", "a rule of chain postrouting was changed" },
        { "comment", "a rule of chain postrouting was changed" },
        { "another flag", "a rule of chain postrouting was changed" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Told(string what, string expected)
    {
        Assert.Null(NatDifference.Between([Right], [Right]));
        Assert.Equal(expected, NatDifference.Between([Right], [Change(what)]));
        Assert.Equal(NatChangeKind.Rebuild, NatChange.Between(Nat.Plan(), new NatState([Change(what)])).Kind);
    }

    [Fact]
    public void A_table_of_a_family_that_has_none_is_told() =>
        Assert.Equal("table ip should not be there", NatDifference.Between([Right], [Right, Right with { Family = NftFamily.IPv4 }]));

    private static NftTable Change(string what) => what switch
    {
        "dormant" => Right with { Flags = 1 },
        "counter object" => Right with { Others = 1 },
        "no chain" => Right with { Chains = [] },
        "another chain" => Right with { Chains = Right.Chains.Add(Right.Chains[0] with { Name = "mine" }) },
        "no set" => Right with { Sets = [.. Right.Sets.Where(s => s.Name != "pods4")] },
        "another set" => Right with { Sets = Right.Sets.Add(Right.Sets[0] with { Name = "mine" }) },
        "set with timeouts" => Right with { Sets = Right.Sets.SetItem(0, Right.Sets[0] with { Flags = 0x14 }) },
        "priority" => Chain(c => c with { Priority = 99 }),
        "hook" => Chain(c => c with { Hook = 3 }),
        "type" => Chain(c => c with { Type = "filter" }),
        "policy" => Chain(c => c with { Policy = 0 }),
        "no rule" => Rules(r => r.RemoveAt(0)),
        "rule twice" => Rules(r => r.Add(r[0])),
        "rules swapped" => Rules(r => [r[1], r[0]]),
        "comment" => Rules(r => r.SetItem(0, r[0] with { Comment = "mine" })),
        "another flag" => Rules(r => r.SetItem(1, r[1] with { Expressions = Nat.Inet(Nat.Plan() with { RandomFully = false }).Chains[0].Rules[1].Expressions })),
        _ => throw new ArgumentOutOfRangeException(nameof(what), what, "no such case"),
    };

    private static NftTable Chain(Func<NftChain, NftChain> change) => Right with { Chains = [change(Right.Chains[0])] };

    private static NftTable Rules(Func<ImmutableArray<NftRule>, ImmutableArray<NftRule>> change) =>
        Chain(c => c with { Rules = change(c.Rules) });
}
