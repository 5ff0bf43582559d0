using System.Collections.Immutable;
using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using HostGw.Lab.Network;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Lab.Tests.Platform;

[Collection("nftables")]
[SupportedOSPlatform("linux")]
public sealed partial class NftablesTests(ITestOutputHelper output) : IDisposable
{
    private const string Foreign = "add table ip theirs; add chain ip theirs nat { type nat hook postrouting priority 100; }; " +
        "add rule ip theirs nat ip saddr 172.30.0.0/16 counter masquerade; add table inet hostgw2; add set inet hostgw2 exempt4 { type ipv4_addr; elements = { 192.0.2.1 }; }";

    private readonly NftablesNat _nat = new();

    public void Dispose()
    {
        _nat.Remove();
        _nat.Dispose();
        Run("nft delete table ip theirs 2>/dev/null; nft delete table inet hostgw2 2>/dev/null; true");
    }

    [Fact]
    public void The_real_nft_lists_what_was_written()
    {
        Reach(NftablesPlans.DualStack);
        Assert.Equal(NftablesPlans.DualStackListed, List("table inet hostgw"));
    }

    [Fact]
    public void The_literal_rule_of_the_seed_document_has_both_its_conditions_and_no_source()
    {
        Reach(NftablesPlans.AnySource);
        Assert.Equal(NftablesPlans.AnySourceListed, List("table inet hostgw"));
    }

    [Fact]
    public void A_kernel_without_inet_nat_gets_a_table_per_family()
    {
        using NftablesNat nat = new(NftLayout.PerFamily);
        NatChange change = NatChange.Between(NftablesPlans.DualStack, nat.Read());
        nat.ApplyBefore(change);

        Assert.Equal(NftablesPlans.PerFamilyListed, List("table ip hostgw") + List("table ip6 hostgw"));
        // A later process, which would try inet first, finds nothing to do.
        Assert.Equal(NatChangeKind.None, Difference(NftablesPlans.DualStack).Kind);
    }

    [Fact]
    public void Tables_of_either_layout_give_way_to_the_other_in_one_transaction()
    {
        Run("nft add table ip hostgw; nft add table ip6 hostgw; nft add chain ip6 hostgw stray");
        Reach(NftablesPlans.DualStack);
        Assert.Equal("table inet hostgw\n", Run("nft list tables"));
    }

    [Theory]
    [InlineData("10.244.1.0/24", "0.0.0.0/0 ::/0")]
    [InlineData("10.244.1.0/24 fd00::/64", "10.0.0.0/24 10.0.1.0/24 10.0.2.0/24 255.255.255.255/32 fd00::1/128 fd00::2/128 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128")]
    [InlineData("0.0.0.0/0", "224.0.0.0/3 8000::/1")]
    [InlineData("", "0.0.0.0/32 ::/128")]
    [InlineData("10.0.0.0/8", "")]
    public void What_was_written_is_read_back(string sources, string exempt)
    {
        NatPlan plan = NftablesPlans.DualStack with { Sources = NftablesPlans.Prefixes(sources), Exempt = NftablesPlans.Prefixes(exempt) };
        Reach(plan);
        Assert.Equal(NatChangeKind.None, Difference(plan).Kind);

        Reach(NftablesPlans.DualStack);
        Assert.Equal(NftablesPlans.DualStackListed, List("table inet hostgw"));
        Reach(plan);
        Assert.Equal(NatChangeKind.None, Difference(plan).Kind);
    }

    [Fact]
    public void A_restarted_agent_writes_nothing()
    {
        Reach(NftablesPlans.DualStack);
        using NftablesNat next = new();
        NatChange change = NatChange.Between(NftablesPlans.DualStack, next.Read());
        next.ApplyBefore(change);
        next.ApplyAfter(change);

        Assert.Equal(NatChangeKind.None, change.Kind);
        Assert.Equal(0, next.Writes);
    }

    [Fact]
    public void Elements_come_before_the_routes_and_leave_after_them_and_the_rule_stays()
    {
        Reach(NftablesPlans.DualStack);
        string handle = RuleHandles();
        NatPlan next = NftablesPlans.DualStack with { Exempt = NftablesPlans.Prefixes("10.244.0.0/16 198.51.100.0/24 224.0.0.0/4 fd00:10:244::/56 ff00::/8") };
        NatChange change = Difference(next);

        _nat.ApplyBefore(change);
        Assert.Contains("{ 10.244.0.0/16, 192.0.2.7, 192.0.2.8, 198.51.100.0/24, 224.0.0.0/4 }", List("set inet hostgw exempt4"), StringComparison.Ordinal);
        _nat.ApplyAfter(change);
        Assert.Contains("{ 10.244.0.0/16, 198.51.100.0/24, 224.0.0.0/4 }", List("set inet hostgw exempt4"), StringComparison.Ordinal);
        Assert.Equal(handle, RuleHandles());
    }

    [Theory]
    [InlineData("flush ruleset")]
    [InlineData("delete table inet hostgw")]
    [InlineData("flush chain inet hostgw postrouting")]
    [InlineData("flush chain inet hostgw postrouting; delete chain inet hostgw postrouting")]
    [InlineData("add rule inet hostgw postrouting accept")]
    [InlineData("insert rule inet hostgw postrouting ip daddr 8.8.8.8 accept")]
    [InlineData("add chain inet hostgw mine")]
    [InlineData("add set inet hostgw mine { type ipv4_addr; }")]
    [InlineData("add counter inet hostgw mine")]
    [InlineData("add table inet hostgw { flags dormant; }")]
    [InlineData("chain inet hostgw postrouting { policy drop; }")]
    [InlineData("flush set inet hostgw pods4")]
    [InlineData("delete element inet hostgw exempt4 { 10.244.0.0/16 }")]
    [InlineData("add element inet hostgw exempt4 { 8.8.8.0/24 }")]
    [InlineData("add element inet hostgw exempt4 { 8.8.8.1-8.8.8.9 }")]
    [InlineData("add element inet hostgw exempt6 { 2001:db8::/32 }")]
    [InlineData("add element inet hostgw pods6 { 2001:db8::/32 }")]
    [InlineData("delete element inet hostgw exempt6 { ff00::/8 }; add element inet hostgw exempt6 { fe00::/7 }")]
    [InlineData("delete table inet hostgw; add table inet hostgw")]
    [InlineData("delete table inet hostgw; add table inet hostgw; add chain inet hostgw postrouting { type nat hook postrouting priority 99; }")]
    public void What_somebody_changed_is_seen_and_put_right(string command)
    {
        Reach(NftablesPlans.DualStack);
        Run($"nft '{command}'");

        Assert.NotEqual(NatChangeKind.None, Reach(NftablesPlans.DualStack).Kind);
        Assert.Equal(NftablesPlans.DualStackListed, List("table inet hostgw"));
        Assert.Equal(NatChangeKind.None, Difference(NftablesPlans.DualStack).Kind);
    }

    [Theory]
    [InlineData("ip saddr @pods4 ip daddr != @exempt4 fib daddr type != local masquerade")]
    [InlineData("ip saddr @pods4 ip daddr @exempt4 fib daddr type != local masquerade fully-random")]
    [InlineData("ip saddr @pods4 ip daddr != @exempt4 fib daddr type local masquerade fully-random")]
    [InlineData("ip saddr @pods4 ip daddr != @exempt4 masquerade fully-random")]
    [InlineData("ip daddr @pods4 ip daddr != @exempt4 fib daddr type != local masquerade fully-random")]
    [InlineData("ip saddr @pods4 ip daddr != @exempt4 fib daddr type != local counter masquerade fully-random")]
    [InlineData("ip saddr @pods4 ip daddr != @exempt4 fib daddr type != local masquerade random,persistent")]
    public void A_rule_replaced_under_our_comment_is_seen_and_put_right(string rule)
    {
        Reach(NftablesPlans.DualStack);
        string comment = NftablesPlans.DualStackListed.Split('\n').First(l => l.Contains("ip saddr", StringComparison.Ordinal)).Split("comment ")[1];
        string handle = RuleHandles().Split(' ')[0];
        Run($"nft 'replace rule inet hostgw postrouting handle {handle} meta nfproto ipv4 {rule} comment {comment}'");

        Assert.Equal("a rule of chain postrouting was changed", Reach(NftablesPlans.DualStack).Reason);
        Assert.Equal(NftablesPlans.DualStackListed, List("table inet hostgw"));
    }

    [Fact]
    public void The_plan_changes_family_source_and_port_choice()
    {
        foreach (NatPlan plan in (NatPlan[])[
            NftablesPlans.DualStack, NftablesPlans.DualStack with { IPv6 = false }, NftablesPlans.AnySource,
            NftablesPlans.DualStack with { RandomFully = false }, NftablesPlans.DualStack with { IPv4 = false }, NftablesPlans.DualStack])
        {
            Reach(plan);
            Assert.Equal(NatChangeKind.None, Difference(plan).Kind);
        }
        Assert.Equal(NftablesPlans.DualStackListed, List("table inet hostgw"));
    }

    [Fact]
    public void Nobody_elses_table_is_touched()
    {
        Run($"nft '{Foreign}'");
        string before = Run("nft -a list table ip theirs; nft -a list table inet hostgw2");

        Reach(NftablesPlans.DualStack);
        Reach(NftablesPlans.AnySource);
        Assert.Equal(before, Run("nft -a list table ip theirs; nft -a list table inet hostgw2"));
        Reach(null);
        Assert.Equal("table ip theirs\ntable inet hostgw2\n", Run("nft list tables"));
        Assert.Equal(before, Run("nft -a list table ip theirs; nft -a list table inet hostgw2"));
    }

    [Fact]
    public void Removing_what_is_not_there_is_success()
    {
        Assert.False(_nat.Remove());
        Reach(NftablesPlans.DualStack);
        NatChange change = Difference(null);
        Run("nft delete table inet hostgw");
        _nat.ApplyBefore(change);
        Reach(NftablesPlans.DualStack);
        Assert.True(_nat.Remove());
        Assert.Equal("", Run("nft list ruleset"));
    }

    [Fact]
    public void A_table_that_vanished_since_it_was_read_is_an_error_that_changes_nothing_and_the_next_pass_repairs_it()
    {
        Reach(NftablesPlans.DualStack);
        NatPlan next = NftablesPlans.DualStack with { Exempt = NftablesPlans.DualStack.Exempt.Add(Prefix.Parse("ff00::/7").Aligned).RemoveAt(5) };
        NatChange change = Difference(next);
        Run("nft delete table inet hostgw");

        NetlinkException error = Assert.Throws<NetlinkException>(() => _nat.ApplyBefore(change));
        Assert.Equal("delete elements from set exempt6 of table inet hostgw: No such file or directory", error.Message);
        Assert.Equal("", Run("nft list ruleset"));
        Reach(next);
        Assert.Equal(NatChangeKind.None, Difference(next).Kind);
    }

    [Fact]
    public void Twenty_thousand_prefixes_are_installed_read_and_changed()
    {
        NatPlan plan = NftablesPlans.Large(10_000);
        Measured("install 20,000", () => Reach(plan));
        Measured("read and compare 20,000", () => Assert.Equal(NatChangeKind.None, Difference(plan).Kind));
        NatPlan odd = plan with { Exempt = [.. plan.Exempt.Where((_, i) => i % 2 == 1)] };
        Measured("take 10,000 out", () => Reach(odd));
        Measured("put 10,000 back", () => Reach(plan));
        Assert.Equal(NatChangeKind.None, Difference(plan).Kind);
        Assert.Equal(20_000, Run("nft -j list table inet hostgw").Split("\"prefix\"").Length - 1 - 2);
    }

    [Fact]
    public void A_small_table_is_replaced_a_hundred_times()
    {
        NatPlan other = NftablesPlans.DualStack with { RandomFully = false };
        Reach(NftablesPlans.DualStack);
        Measured("100 small replacements and reads", () =>
        {
            for (int i = 0; i < 50; i++)
            {
                Assert.Equal(NatChangeKind.Rebuild, Reach(other).Kind);
                Assert.Equal(NatChangeKind.Rebuild, Reach(NftablesPlans.DualStack).Kind);
            }
        });
        Measured("100 reads with nothing to do", () =>
        {
            for (int i = 0; i < 100; i++)
                Assert.Equal(NatChangeKind.None, Difference(NftablesPlans.DualStack).Kind);
        });
        NatPlan five = NftablesPlans.Large(2_500);
        Measured("install 5,000", () => Reach(five));
    }

    private static string Run(string command) => Command.Run("sh", "-c", command);

    private static string RuleHandles() => string.Join(' ',
        Run("nft -a list chain inet hostgw postrouting").Split('\n').Where(l => l.Contains("masquerade", StringComparison.Ordinal)).Select(l => l.Split(' ')[^1]));

    // nft breaks long lists of elements and indents with tabs.
    private static string List(string what) =>
        ElementBreak().Replace(Run($"nft list {what}"), ", ").Replace("\t", "    ", StringComparison.Ordinal);

    [GeneratedRegex(@",\n\s+")]
    private static partial Regex ElementBreak();

    private NatChange Difference(NatPlan? plan) => NatChange.Between(plan, _nat.Read());

    private NatChange Reach(NatPlan? plan)
    {
        NatChange change = Difference(plan);
        _nat.ApplyBefore(change);
        _nat.ApplyAfter(change);
        return change;
    }

    private void Measured(string what, Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        output.WriteLine($"{what}: {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F1} ms");
    }
}
