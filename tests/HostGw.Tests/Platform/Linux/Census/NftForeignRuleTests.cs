using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.Versioning;
using HostGw.Platform.Linux.Census;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Tests.Platform.Linux.Census;

/// <summary>Rules as the kernel lists them, expression by expression: "NAME ATTRIBUTE=NUMBER ...", with a last one that drops.</summary>
[SupportedOSPlatform("linux")]
public class NftForeignRuleTests
{
    [Theory]
    [InlineData("counter", "All")]
    [InlineData("objref 1=1 2=\"c\"", "All")]
    [InlineData("objref 1=2 2=\"quota\"", "Some")]
    [InlineData("objref 1=4 2=\"limit\"", "Some")]
    [InlineData("objref 1=5 2=\"connlimit\"", "Some")]
    [InlineData("objref 3=1 4=\"map\"", "Some")]
    [InlineData("limit", "Some")]
    [InlineData("dynset 1=\"seen\"", "All")]
    [InlineData("dynset 1=\"flood\" 7=\"limit\"", "Some")]
    [InlineData("future", "Some")]
    public void What_may_end_a_rule_is_a_condition(string expression, string expected) => Assert.Equal(expected, Dropped(expression));

    // meta l4proto is loaded first: what is known of the register must be forgotten if it is overwritten.
    [Theory]
    [InlineData("counter", "None")]
    [InlineData("socket 1=3 2=1", "Some")]
    [InlineData("hash 1=9 2=1", "Some")]
    [InlineData("tunnel 1=2 2=1", "Some")]
    [InlineData("numgen 1=1", "Some")]
    [InlineData("numgen 1=2", "None")]
    [InlineData("future 1=3", "Some")]
    public void A_register_that_is_overwritten_is_not_known(string expression, string expected) =>
        Assert.Equal(expected, Dropped($"meta 1=1 2=16; {expression}; cmp 1=1 2=0 3=77"));

    [Theory]
    [InlineData(255, "All")]
    [InlineData(64, "None")]
    public void Neighbour_discovery_has_the_highest_hop_limit(byte limit, string expected) => Assert.Equal(
        expected, Dropped($"payload 1=1 2=1 3=7 4=1; cmp 1=1 2=0 3={limit}", new()
        {
            Flow = PodFlow.Neighbours,
            IsIPv4 = false,
            Source = default,
            Destination = default,
            Protocol = ProtocolNumber.Icmp6,
            IcmpType = 135,
            In = new("eth0", 2),
            Out = default,
            FirstState = CtState.Untracked,
        }));

    [Theory]
    [InlineData(NftFamily.Netdev, true, "nft insert rule netdev t c meta protocol arp accept")]
    [InlineData(NftFamily.Bridge, true, "nft insert rule bridge t c meta protocol arp accept")]
    [InlineData(NftFamily.Arp, true, "nft insert rule arp t c accept")]
    [InlineData(NftFamily.Bridge, false, "nft insert rule bridge t c icmpv6 type '{ nd-neighbor-solicit, nd-neighbor-advert }' accept")]
    internal void The_cure_lets_neighbours_be_found(NftFamily family, bool isArp, string expected)
    {
        NftForeignTable table = new(family, "t", null!, []);
        Assert.Equal(expected, table.AcceptCommand(new(table, "c", family, Hook.Input, 0), new(default, "eth0") { IsArp = isArp }));
    }

    private static string Dropped(string expressions) => Dropped(expressions, Ruleset.Traffic().Whole().First());

    private static string Dropped(string expressions, PacketClass packet)
    {
        packet.Begin();
        NftForeignRule rule = new(1, [.. Parse(expressions), .. Parse("reject")], new(NftFamily.Inet, static _ => null));
        List<RuleOutcome> outcomes = [];
        rule.Apply(packet, Match.All, outcomes);
        return $"{outcomes.SingleOrDefault(o => o.Verdict == RuleVerdict.Drop).Match}";
    }

    private static ImmutableArray<NftExpression> Parse(string expressions)
    {
        NetlinkWriter writer = new();
        writer.Begin(0, 0, 0);
        foreach (string[] words in expressions.Split("; ").Select(e => e.Split(' ')))
        {
            int element = writer.BeginNested(NFTA_LIST_ELEM);
            writer.Attribute(NFTA_EXPR_NAME, words[0]);
            int data = writer.BeginNested(NFTA_EXPR_DATA);
            foreach (string[] attribute in words.Skip(1).Select(w => w.Split('=')))
                Write(writer, words[0], ushort.Parse(attribute[0], CultureInfo.InvariantCulture), attribute[1]);
            writer.EndNested(data);
            writer.EndNested(element);
        }
        writer.End();
        return NftExpressionParser.Parse(writer.Written[NetlinkWriter.HeaderLength..]);
    }

    private static void Write(NetlinkWriter writer, string expression, ushort type, string value)
    {
        if (value.StartsWith('"'))
        {
            writer.Attribute(type, value.Trim('"'));
        }
        else if (expression == "cmp" && type == 3)
        {
            int data = writer.BeginNested(type);
            writer.Attribute(NFTA_DATA_VALUE, [byte.Parse(value, CultureInfo.InvariantCulture)]);
            writer.EndNested(data);
        }
        else
        {
            writer.AttributeBigEndian(type, uint.Parse(value, CultureInfo.InvariantCulture));
        }
    }
}
