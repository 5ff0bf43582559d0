using System.Collections.Immutable;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Tests.Platform.Linux.Nftables;

public class TableDifferenceTests
{
    // ip daddr != @exempt4 masquerade: payload, lookup, masq as we write them.
    private const string Payload =
        "34000180 0C000100 7061796C6F616400 24000280 08000100 00000001 08000200 00000001 08000300 00000010 08000400 00000004";

    private const string Lookup =
        "30000180 0B000100 6C6F6F6B75700000 20000280 0C000100 6578656D70743400 08000200 00000001 08000500 00000001";

    private const string Compare = "29000180 08000100 636D7000 1D000280 08000100 00000001 08000200 00000000 09000380 05000100 02000000";
    private const string Masq = "14000180 09000100 6D61737100000000 04000280";

    private static readonly NftTable Right = Nat.Inet(Nat.Plan());
    private static readonly NftTable WithoutRandomFully = Nat.Inet(Nat.Plan() with { RandomFully = false });

    // What somebody did to the table, and the difference in words.
    public static TheoryData<string, string> Cases => new()
    {
        { "dormant", "the table's flags are 1" },
        { "counter object", "the table contains foreign objects" },
        { "no chain", "chain postrouting is missing" },
        { "another chain", "chain mine is foreign" },
        { "no set", "set pods4 is missing" },
        { "another set", "set mine is foreign" },
        { "set with timeouts", "set exempt4 has another type" },
        { "priority", "chain postrouting has another type, hook or priority" },
        { "hook", "chain postrouting has another type, hook or priority" },
        { "type", "chain postrouting has another type, hook or priority" },
        { "policy", "chain postrouting has another policy" },
        { "no rule", "chain postrouting has 1 rules, not 2" },
        { "rule twice", "chain postrouting has 3 rules, not 2" },
        { "rules swapped", "a rule of chain postrouting was changed" },
        { "comment", "a rule of chain postrouting was changed" },
        { "another flag", "a rule of chain postrouting was changed" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_change_of_the_table_is_named(string what, string expected)
    {
        Assert.Null(TableDifference.Between([Right], [Right]));
        Assert.Equal(expected, TableDifference.Between([Right], [Change(what)]));
        Assert.Equal(NatChangeKind.Rebuild, NatChange.Between(Nat.Plan(), new NatState([Change(what)])).Kind);
    }

    [Fact]
    public void A_table_of_a_family_that_needs_none_is_named() =>
        Assert.Equal("table ip is not needed", TableDifference.Between([Right], [Right, Right with { Family = NftFamily.IPv4 }]));

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
        "another flag" => Rules(r => r.SetItem(1, r[1] with { Expressions = WithoutRandomFully.Chains[0].Rules[1].Expressions })),
        _ => throw new ArgumentOutOfRangeException(nameof(what), what, "no such case"),
    };

    private static NftTable Chain(Func<NftChain, NftChain> change) => Right with { Chains = [change(Right.Chains[0])] };

    private static NftTable Rules(Func<ImmutableArray<NftRule>, ImmutableArray<NftRule>> change) =>
        Chain(c => c with { Rules = change(c.Rules) });

    public static TheoryData<string, string[], string[], bool> Expressions => new()
    {
        { "the very same bytes", [Payload, Lookup, Compare, Masq], [Payload, Lookup, Compare, Masq], true },
        { "Linux 6.18 sets no nested flag and counts the padding", [Compare],
            ["2C000100 08000100 636D7000 20000200 08000100 00000001 08000200 00000000 0C000300 05000100 02000000"], true },
        { "attributes in another order", [Lookup],
            ["30000180 20000280 08000500 00000001 0C000100 6578656D70743400 08000200 00000001 0B000100 6C6F6F6B75700000"], true },
        { "an attribute of zeros that we do not write", [Payload],
            [
                "3C000180 0C000100 7061796C6F616400 2C000280 08000100 00000001 08000200 00000001 08000300 00000010 " +
                "08000400 00000004 08000600 00000000",
            ], true },
        { "zeros left out that we do write", [Compare],
            ["21000180 08000100 636D7000 15000280 08000100 00000001 09000380 05000100 02000000"], true },
        { "an attribute of a later kernel", [Masq], ["1C000180 09000100 6D61737100000000 0C000280 08000900 00000001"], true },
        { "a flag that we do not set", [Masq], ["1C000180 09000100 6D61737100000000 0C000280 08000100 00000010"], false },
        { "another value", [Compare],
            ["29000180 08000100 636D7000 1D000280 08000100 00000001 08000200 00000000 09000380 05000100 0A000000"], false },
        { "another operation", [Compare],
            ["29000180 08000100 636D7000 1D000280 08000100 00000001 08000200 00000001 09000380 05000100 02000000"], false },
        { "a value of zero of another length", [Compare],
            ["29000180 08000100 636D7000 1D000280 08000100 00000001 08000200 00000000 09000380 06000100 02000000"], false },
        { "another set", [Lookup],
            ["30000180 0B000100 6C6F6F6B75700000 20000280 0C000100 6578656D70743600 08000200 00000001 08000500 00000001"], false },
        { "one expression less", [Payload, Lookup, Masq], [Payload, Masq], false },
        { "one expression more", [Payload, Masq], [Payload, Lookup, Masq], false },
        { "one more at the end", [Payload], [Payload, Masq], false },
        { "another expression", [Masq], ["14000180 09000100 736E617400000000 04000280"], false },
        { "nothing", [Masq], [], false },
    };

    [Theory]
    [MemberData(nameof(Expressions))]
    public void Expressions_are_compared_by_meaning(string because, string[] ours, string[] theirs, bool expected) =>
        Assert.True(expected == ExpressionComparison.Same(Bytes(ours), Bytes(theirs)), because);

    private static byte[] Bytes(string[] hex)
    {
        List<byte> bytes = [];
        foreach (string expression in hex)
        {
            bytes.AddRange(Convert.FromHexString(expression.Replace(" ", "", StringComparison.Ordinal)));
            while (bytes.Count % 4 != 0)
                bytes.Add(0);
        }
        return [.. bytes];
    }
}
