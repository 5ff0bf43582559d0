using System.Collections.Immutable;
using HostGw.Platform.Linux.Iptables;

namespace HostGw.Tests.Platform.Linux.Iptables;

public class ChainDifferenceTests
{
    private const string NatJump = "-A POSTROUTING -m comment --comment \"kept by hostgw\" -j HOSTGW-POSTROUTING";
    private const string Jump = "-m comment --comment \"kept by hostgw\" -j HOSTGW-FORWARD";
    private const string Accept = "-A HOSTGW-FORWARD -s 10.244.1.0/24 -j ACCEPT";
    private const string Kube = "-A FORWARD -m comment --comment \"kubernetes forwarding rules\" -j KUBE-FORWARD";

    private static readonly ImmutableArray<string> NatRules = ["-d 10.244.0.0/16 -j RETURN", "-s 10.244.1.0/24 -j MASQUERADE"];
    private static readonly ImmutableArray<string> ForwardRules = ["-s 10.244.1.0/24 -j ACCEPT"];

    // Why, the rules of the parent and of our chain, and the input of iptables-restore.
    public static TheoryData<string, string[], string[]> Forward => new()
    {
        { "chain HOSTGW-FORWARD is missing, no rule of FORWARD jumps to HOSTGW-FORWARD",
            [Kube],
            [":HOSTGW-FORWARD - [0:0]", Accept, $"-A FORWARD {Jump}"] },
        { "no rule of FORWARD jumps to HOSTGW-FORWARD",
            [":HOSTGW-FORWARD - [0:0]", Kube, "-A FORWARD -j REJECT --reject-with icmp-port-unreachable", Accept],
            [$"-I FORWARD 2 {Jump}"] },
        { "no rule of FORWARD jumps to HOSTGW-FORWARD",
            [
                ":HOSTGW-FORWARD - [0:0]", Kube, "-A FORWARD -i eth9 -j DROP",
                "-A FORWARD -m comment --comment \"all \\\"the\\\" rest\" -j DROP", Accept,
            ],
            [$"-I FORWARD 3 {Jump}"] },
        { "the rule that jumps to HOSTGW-FORWARD is after one that drops everything",
            [":HOSTGW-FORWARD - [0:0]", "-A FORWARD -j DROP", $"-A FORWARD {Jump}", Accept],
            [$"-D FORWARD {Jump}", $"-I FORWARD 1 {Jump}"] },
        { "unexpected rules jump to HOSTGW-FORWARD",
            [
                ":HOSTGW-FORWARD - [0:0]", $"-A FORWARD {Jump}", $"-A FORWARD {Jump}", "-A OTHER -p tcp -g HOSTGW-FORWARD",
                "-A FORWARD -j DROP", Accept,
            ],
            [$"-D FORWARD {Jump}", $"-D FORWARD {Jump}", "-D OTHER -p tcp -g HOSTGW-FORWARD", $"-I FORWARD 1 {Jump}"] },
        { "chain HOSTGW-FORWARD differs",
            [":HOSTGW-FORWARD - [0:0]", $"-A FORWARD {Jump}", "-A FORWARD -j DROP", "-A HOSTGW-FORWARD -j ACCEPT"],
            [":HOSTGW-FORWARD - [0:0]", Accept] },
        { "", [":HOSTGW-FORWARD - [0:0]", $"-A FORWARD {Jump}", Kube, "-A FORWARD -j DROP", $"-A FORWARD -j LOG", Accept], [] },
        { "no rule of FORWARD jumps to HOSTGW-FORWARD",
            [
                ":HOSTGW-FORWARD - [0:0]", Kube, "-A FORWARD -j X", "-A X -s 10.9.0.0/16 -j RETURN", "-A X -g Y", "-A Y -j X",
                "-A Y -j REJECT --reject-with icmp-port-unreachable", Accept,
            ],
            [$"-I FORWARD 2 {Jump}"] },
        { "the rule that jumps to HOSTGW-FORWARD is after one that drops everything",
            [":HOSTGW-FORWARD - [0:0]", "-A FORWARD -m comment --comment \"the rest\" -j X", $"-A FORWARD {Jump}", "-A X -j DROP", Accept],
            [$"-D FORWARD {Jump}", $"-I FORWARD 1 {Jump}"] },
        { "",
            [
                ":HOSTGW-FORWARD - [0:0]", "-A FORWARD -i eth9 -j X", "-A FORWARD -j Y", "-A FORWARD -j Z", "-A FORWARD -j W",
                $"-A FORWARD {Jump}", "-A X -j DROP", "-A Y -i eth9 -j DROP", "-A Y -j X2", "-A X2 -j RETURN", "-A X2 -j DROP",
                "-A Z -g Z2", "-A Z -j DROP", "-A W -j ACCEPT", "-A W -j DROP", Accept,
            ],
            [] },
    };

    [Theory]
    [MemberData(nameof(Forward))]
    public void The_accept_is_before_the_first_rule_that_drops_everything(string reason, string[] installed, string[] lines)
    {
        ChainChange? change = ChainDifference.Between(OwnChain.Forward, ForwardRules, Saved(OwnChain.Forward, installed));
        Assert.Equal(reason, change?.Reason ?? "");
        Assert.Equal(lines, change?.Lines ?? []);
    }

    [Fact]
    public void Foreign_rules_are_not_written()
    {
        SavedTable saved = Saved(
            OwnChain.Masquerade, ":KUBE-SVC - [0:0]", "-A POSTROUTING -s 172.17.0.0/16 -j MASQUERADE", "-A KUBE-SVC -j KUBE-SEP");
        Assert.Equal(
            "*nat\n:HOSTGW-POSTROUTING - [0:0]\n-A HOSTGW-POSTROUTING -d 10.244.0.0/16 -j RETURN\n" +
            "-A HOSTGW-POSTROUTING -s 10.244.1.0/24 -j MASQUERADE\n" + NatJump + "\nCOMMIT\n",
            ChainDifference.Between(OwnChain.Masquerade, NatRules, saved)!.Text("nat"));
    }

    [Fact]
    public void What_is_not_needed_goes_with_every_rule_that_jumps_to_it()
    {
        SavedTable saved = Saved(
            OwnChain.Masquerade, ":HOSTGW-POSTROUTING - [0:0]", NatJump, "-A OTHER -s 10.0.0.1/32 -j HOSTGW-POSTROUTING",
            "-A HOSTGW-POSTROUTING -j RETURN");
        ChainChange change = ChainDifference.Between(OwnChain.Masquerade, default, saved)!;
        Assert.Equal(
            [
                ":HOSTGW-POSTROUTING - [0:0]", $"-D{NatJump[2..]}", "-D OTHER -s 10.0.0.1/32 -j HOSTGW-POSTROUTING",
                "-X HOSTGW-POSTROUTING",
            ],
            change.Lines);
        Assert.Null(ChainDifference.Between(OwnChain.Masquerade, default, Saved(OwnChain.Masquerade, "-A POSTROUTING -j MASQUERADE")));
    }

    [Fact]
    public void A_rule_that_this_version_prints_otherwise_is_the_same_rule_once_it_was_seen_right_after_it_was_written()
    {
        SavedTable saved = Saved(
            OwnChain.Masquerade, ":HOSTGW-POSTROUTING - [0:0]", NatJump, "-A HOSTGW-POSTROUTING -d 10.244/16 -j RETURN",
            "-A HOSTGW-POSTROUTING -s 10.244.1/24 -j MASQUERADE");
        Assert.Equal("chain HOSTGW-POSTROUTING differs", ChainDifference.Between(OwnChain.Masquerade, NatRules, saved)?.Reason);
        Assert.Null(ChainDifference.Between(
            OwnChain.Masquerade, NatRules, saved, ["-d 10.244/16 -j RETURN", "-s 10.244.1/24 -j MASQUERADE"]));
        Assert.NotNull(ChainDifference.Between(OwnChain.Masquerade, NatRules, saved, ["-d 10.244/16 -j RETURN"]));
    }

    [Theory]
    [InlineData("-j DROP", true)]
    [InlineData("-j REJECT --reject-with icmp6-port-unreachable", true)]
    [InlineData("-m comment --comment \"no -s 10.0.0.0/8\" -j DROP", true)]
    [InlineData("-m comment --comment plain -j REJECT", true)]
    [InlineData("-s 10.0.0.0/8 -j DROP", false)]
    [InlineData("-m comment --comment \"-j DROP\" -j ACCEPT", false)]
    [InlineData("-m comment --comment a -m conntrack --ctstate INVALID -j DROP", false)]
    [InlineData("-j DROPPED", false)]
    [InlineData("-j ACCEPT", false)]
    [InlineData("-m comment --comment \"-j DROP\"", false)]
    public void Only_a_rule_without_a_condition_drops_everything(string rule, bool drops) =>
        Assert.Equal(drops, Saved(OwnChain.Forward).DropsEverything(rule));

    [Fact]
    public void A_table_that_iptables_cannot_show_is_not_an_empty_one()
    {
        SavedTable table = OwnChain.Masquerade.CreateTable();
        table.Read("# Table `nat' is incompatible, use 'nft' tool.");
        Assert.False(table.IsComplete);
        Assert.True(Saved(OwnChain.Masquerade).IsComplete);
    }

    [Fact]
    public void Another_table_in_the_same_text_is_not_read()
    {
        SavedTable table = OwnChain.Masquerade.CreateTable();
        foreach (string line in (string[])["*filter", ":HOSTGW-POSTROUTING - [0:0]", "COMMIT"])
            table.Read(line);
        Assert.False(table.Has("HOSTGW-POSTROUTING"));
        Assert.False(table.IsComplete);
    }

    /// <param name="lines">Those between the table's name and COMMIT.</param>
    private static SavedTable Saved(OwnChain chain, params string[] lines)
    {
        SavedTable table = chain.CreateTable();
        string[] head = ["# Generated by iptables-save", $"*{chain.Table}", $":{chain.Parent} ACCEPT [1:60]"];
        foreach (string line in (string[])[.. head, .. lines, "COMMIT", "# Completed"])
            table.Read(line);
        return table;
    }
}
