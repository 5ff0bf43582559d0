using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Lab.Tests.Platform;

/// <summary>Pods' packets on a host whose chain FORWARD drops, as Docker's and ufw's do.</summary>
[Collection("nftables")]
[SupportedOSPlatform("linux")]
public sealed class ForwardTests(NftablesNetwork network) : IClassFixture<NftablesNetwork>
{
    private static readonly ImmutableArray<Prefix> Pods = NftablesPlans.Prefixes("10.244.1.0/24 fd00:10:244:1::/64");

    private static readonly Plan Plan = new()
    {
        OwnPodCidrs = Pods,
        ForwardAccept = Pods,
        Routes =
        [
            new(Prefix.Parse("10.244.2.0/24"), 0, Net.Ip.Parse("192.0.2.2"), 1),
            new(Prefix.Parse("fd00:10:244:2::/64"), 1024, Net.Ip.Parse("2001:db8::2"), 1),
        ],
    };

    public static TheoryData<string, string> Drops => new()
    {
        { "iptables-nft", "-P FORWARD DROP" },
        { "iptables-nft", "-A FORWARD -j REJECT" },
        { "iptables-nft", "-A FORWARD -m comment --comment 'the rest' -j DROP" },
        { "iptables-nft", "-P FORWARD DROP; -N X; -A X -j REJECT; -A FORWARD -j X" },
        { "iptables-nft", "-N Y; -A Y -j DROP; -N X; -A X -i nowhere -j RETURN; -A X -j Y; -A FORWARD -j X" },
        { "iptables-legacy", "-P FORWARD DROP" },
        { "iptables-legacy", "-A FORWARD -j DROP" },
        { "iptables-legacy", "-P FORWARD DROP; -N X; -A X -j REJECT; -A FORWARD -j X" },
    };

    [Theory]
    [MemberData(nameof(Drops))]
    public void Pods_packets_pass_where_FORWARD_drops_and_nobody_elses(string kind, string drop)
    {
        using NatBox box = new("none");
        foreach (string command in drop.Split("; "))
            Both(kind, command);
        Both(kind, "-I FORWARD -s 192.0.2.66 -j DROP", v6: "-I FORWARD -s 2001:db8::66 -j DROP");
        (string, string) before = (NatBox.Save(kind, true), NatBox.Save(kind, false));
        AssertStops();

        Assert.Contains($"{kind} IPv4: chain HOSTGW-FORWARD is missing", Reach(box), StringComparison.Ordinal);
        AssertPasses();
        Assert.Equal("", Reach(box));

        // Foreign drops before other rules still apply: our jump is last, except for rules that drop everything.
        string[] forward = [.. NatBox.Save(kind, true).Split('\n').Where(l => l.StartsWith("-A FORWARD", StringComparison.Ordinal))];
        Assert.Equal("-A FORWARD -s 192.0.2.66/32 -j DROP", forward[0]);
        Assert.Equal("-A FORWARD -m comment --comment \"kept by hostgw\" -j HOSTGW-FORWARD", forward[1]);

        Assert.Contains("HOSTGW-FORWARD is not needed", Reach(box, []), StringComparison.Ordinal);
        Assert.Equal(before, (NatBox.Save(kind, true), NatBox.Save(kind, false)));
        AssertStops();
    }

    [Theory]
    [InlineData("iptables-nft")]
    [InlineData("iptables-legacy")]
    public void A_jump_is_drift_only_after_a_rule_that_drops_everything(string kind)
    {
        using NatBox box = new("none");
        Both(kind, "-P FORWARD DROP");
        Reach(box);

        Both(kind, "-A FORWARD -s 203.0.113.0/24 -j DROP", v6: "-A FORWARD -s 2001:db8:9::/64 -j DROP");
        Assert.Equal("", Reach(box));
        Both(kind, "-I FORWARD 1 -j REJECT");
        Assert.Contains("is after one that drops everything", Reach(box), StringComparison.Ordinal);
        AssertPasses();

        Both(kind, "-F FORWARD");
        Assert.Contains("no rule of FORWARD jumps to HOSTGW-FORWARD", Reach(box), StringComparison.Ordinal);
        AssertPasses();

        Both(kind, "-P FORWARD ACCEPT");
        Assert.NotEqual("", Reach(box));
        Assert.DoesNotContain("HOSTGW", NatBox.Save(kind, true) + NatBox.Save(kind, false), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "add table inet firewalld; add chain inet firewalld filter_FORWARD { type filter hook forward priority 10; policy accept; }; " +
        "add rule inet firewalld filter_FORWARD reject with icmpx admin-prohibited",
        "firewall-cmd --permanent --zone=trusted --add-source=10.244.1.0/24; firewall-cmd --reload; " +
        "firewall-cmd --permanent --zone=trusted --add-source=fd00:10:244:1::/64; firewall-cmd --reload")]
    [InlineData("add table ip guard; add chain ip guard way { type filter hook forward priority 0; policy drop; }",
        "nft insert rule ip guard way ip saddr 10.244.1.0/24 accept; nft insert rule ip guard way ip daddr 10.244.1.0/24 accept")]
    public void Drops_that_are_not_of_iptables_are_said_with_the_cure(string ruleset, string cure)
    {
        using NatBox box = new("none", o => o with { ProgramFolders = [] });
        NatBox.Run($"nft '{ruleset}'");
        string before = NatBox.Run("nft list ruleset");
        ApplyResult result = Try(box, Pods);
        Assert.Empty(result.Failures);
        Assert.Contains(cure, result.Obstacles[0], StringComparison.Ordinal);
        Assert.Equal(before, NatBox.Run("nft list ruleset"));

        NatBox.Run("nft flush ruleset");
        Assert.DoesNotContain(Try(box, Pods).Obstacles, o => o.Contains(cure, StringComparison.Ordinal));
    }

    [Fact]
    public void Without_a_drop_no_program_is_needed_and_with_one_the_error_names_the_cure()
    {
        using NatBox box = new("none", o => o with { ProgramFolders = [] });
        NatBox.Run("iptables-nft -A FORWARD -s 10.9.0.0/16 -j DROP; iptables-nft -P INPUT DROP");
        Assert.Empty(Try(box, Pods).Failures);
        NatBox.Run("iptables-nft -P FORWARD DROP");
        HostFailure failure = Assert.Single(Try(box, Pods).Failures);
        Assert.Equal(HostPart.Forward, failure.Part);
        Assert.Contains("find the program iptables-nft-save: install iptables", failure.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_legacy_table_that_cannot_be_looked_into_is_said_and_no_failure()
    {
        using NatBox box = new("none", o => o with { ProgramFolders = [] });
        NatBox.Run("iptables-legacy -w -P FORWARD ACCEPT");
        ApplyResult result = Try(box, Pods);
        Assert.Empty(result.Failures);
        Assert.Contains("find the program iptables-legacy-save: install iptables", result.Obstacles[0], StringComparison.Ordinal);
    }

    private static string Reach(NatBox box, ImmutableArray<Prefix>? accept = null)
    {
        ApplyResult result = Try(box, accept ?? Pods);
        Assert.Empty(result.Failures.Select(f => f.Error.ToString()));
        return result.ForwardChange;
    }

    private static ApplyResult Try(NatBox box, ImmutableArray<Prefix> accept) =>
        box.Host.Apply(new() { Routes = new(), Plan = Plan, Host = box.Host.Read([]), ChangesForward = true, ForwardAccept = accept }, ApplyMode.Change);

    private static void Both(string kind, string arguments, string? v6 = null) =>
        NatBox.Run($"{kind} -w {arguments} && ip6{kind[2..]} -w {v6 ?? arguments}");

    private void AssertPasses()
    {
        Assert.Equal("10.244.1.5", SourceSeen.By("udp", network.Pod, "10.244.1.5", network.Outside, "192.0.2.2"));
        Assert.Equal("fd00:10:244:1::5", SourceSeen.By("udp", network.Pod, "fd00:10:244:1::5", network.Outside, "2001:db8::2"));
    }

    private void AssertStops()
    {
        using NftablesFlow flow = new(network.Pod.Run, "10.244.1.5", network.Outside.Run, "192.0.2.2");
        Assert.False(flow.Arrives());
    }
}
