using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Lab.Tests.Platform;

[Collection("nftables")]
[SupportedOSPlatform("linux")]
public sealed class NftablesTests : NftablesTest
{
    private const string NoCapability = "Operation not permitted (this needs the capability NET_ADMIN; or set nat.backend: none)";

    private const string Foreign = "add table ip theirs; add chain ip theirs nat { type nat hook postrouting priority 100; }; " +
        "add rule ip theirs nat ip saddr 172.30.0.0/16 counter masquerade; add table inet hostgw2; " +
        "add set inet hostgw2 exempt4 { type ipv4_addr; elements = { 192.0.2.1 }; }";

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
        nat.ApplyBeforeRoutes(change);

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
    [InlineData(
        "10.244.1.0/24 fd00::/64",
        "10.0.0.0/24 10.0.1.0/24 10.0.2.0/24 255.255.255.255/32 fd00::1/128 fd00::2/128 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128")]
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
        next.ApplyBeforeRoutes(change);
        next.ApplyAfterRoutes(change);

        Assert.Equal(NatChangeKind.None, change.Kind);
        Assert.Equal(0, next.Writes);
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
        Assert.False(Nat.Remove());
        Reach(NftablesPlans.DualStack);
        NatChange change = Difference(null);
        Run("nft delete table inet hostgw");
        Nat.ApplyBeforeRoutes(change);
        Reach(NftablesPlans.DualStack);
        Assert.True(Nat.Remove());
        Assert.Equal("", Run("nft list ruleset"));
    }

    [Fact]
    public void Without_the_capability_the_error_names_it()
    {
        (string reading, string writing) = Capabilities.Without(() =>
        {
            using NftablesNat nat = new();
            return (Assert.Throws<NetlinkException>(() => nat.Read()).Message,
                Assert.Throws<NetlinkException>(() => nat.ApplyBeforeRoutes(NatChange.Between(NftablesPlans.DualStack, null))).Message);
        });

        Assert.Equal($"read the nf_tables generation: {NoCapability}", reading);
        Assert.Equal($"change nf_tables: {NoCapability}", writing);
    }
}
