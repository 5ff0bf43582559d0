using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Lab.Tests.Platform;

[Collection("nftables")]
[SupportedOSPlatform("linux")]
public sealed class NftablesDriftTests : NftablesTest
{
    [Fact]
    public void Elements_come_before_the_routes_and_leave_after_them_and_the_rule_stays()
    {
        Reach(NftablesPlans.DualStack);
        string handle = RuleHandles();
        NatPlan next = NftablesPlans.DualStack with
        {
            Exempt = NftablesPlans.Prefixes("10.244.0.0/16 198.51.100.0/24 224.0.0.0/4 fd00:10:244::/56 ff00::/8"),
        };
        NatChange change = Difference(next);

        Nat.ApplyBeforeRoutes(change);
        Assert.Contains(
            "{ 10.244.0.0/16, 192.0.2.7, 192.0.2.8, 198.51.100.0/24, 224.0.0.0/4 }",
            List("set inet hostgw exempt4"), StringComparison.Ordinal);
        Nat.ApplyAfterRoutes(change);
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
    [InlineData(
        "delete table inet hostgw; add table inet hostgw; " +
        "add chain inet hostgw postrouting { type nat hook postrouting priority 99; }")]
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
        string listed = NftablesPlans.DualStackListed.Split('\n').First(l => l.Contains("ip saddr", StringComparison.Ordinal));
        string comment = listed.Split("comment ")[1];
        string handle = RuleHandles().Split(' ')[0];
        Run($"nft 'replace rule inet hostgw postrouting handle {handle} meta nfproto ipv4 {rule} comment {comment}'");

        Assert.Equal("a rule of chain postrouting was changed", Reach(NftablesPlans.DualStack).Reason);
        Assert.Equal(NftablesPlans.DualStackListed, List("table inet hostgw"));
    }

    [Fact]
    public void A_table_that_vanished_since_it_was_read_is_an_error_that_changes_nothing_and_the_next_pass_repairs_it()
    {
        Reach(NftablesPlans.DualStack);
        NatPlan next = NftablesPlans.DualStack with
        {
            Exempt = NftablesPlans.DualStack.Exempt.Add(Prefix.Parse("ff00::/7").Aligned).RemoveAt(5),
        };
        NatChange change = Difference(next);
        Run("nft delete table inet hostgw");

        NetlinkException error = Assert.Throws<NetlinkException>(() => Nat.ApplyBeforeRoutes(change));
        Assert.Equal("delete elements from set exempt6 of table inet hostgw: No such file or directory", error.Message);
        Assert.Equal("", Run("nft list ruleset"));
        Reach(next);
        Assert.Equal(NatChangeKind.None, Difference(next).Kind);
    }
}
