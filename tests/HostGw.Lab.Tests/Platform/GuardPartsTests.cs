using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Lab.Tests.Platform;

/// <summary>Of the guards' table, which may hold thousands of elements, only parts are read and written.</summary>
[Collection("nftables")]
[SupportedOSPlatform("linux")]
public sealed class GuardPartsTests : NftablesTest, IDisposable
{
    private readonly LinuxGuards _guards = new(TimeProvider.System);

    // Begin and end of the transaction, the deletion of rules that are there, and the rules of the chain or a list of elements.
    [Theory]
    [InlineData("flush chain inet hostgw-guard inner", "chain inner has 0 rules, not 8", 10)]
    [InlineData("insert rule inet hostgw-guard vni accept", "chain vni has 3 rules, not 2", 5)]
    [InlineData("delete element inet hostgw-guard nodes4 { 192.0.2.2 }", "nodes4: 192.0.2.2/32 added", 3)]
    [InlineData("flush chain inet hostgw-guard vni; delete element inet hostgw-guard nodes4 { 192.0.2.2 }",
        "chain vni has 0 rules, not 2, nodes4: 192.0.2.2/32 added", 5)]
    public void Of_the_table_only_what_differs_is_written(string command, string expected, int writes)
    {
        Make();
        long before = _guards.Writes;
        Run($"nft '{command}'");

        Assert.Equal(expected, Make());
        Assert.Equal(writes, _guards.Writes - before);
        Assert.Equal(GuardPlans.TunnelListed, GuardTests.Listed());
    }

    // By the names that are announced, thousands of elements need not be read.
    [Fact]
    public void Of_the_table_only_what_is_announced_is_read()
    {
        Make();
        Run("nft 'flush chain inet hostgw-guard vni; flush set inet hostgw-guard peers4; " +
            "delete element inet hostgw-guard nodes4 { 192.0.2.2 }'");

        Assert.Equal("nodes4: 192.0.2.2/32 added", Announced(new(false, false, ["nodes4"])));
        Assert.Equal("", Announced(GuardParts.None));
        Assert.Equal("chain vni has 0 rules, not 2", Announced(new(false, Rules: true, [])));
        Assert.Equal("peers4: 10.244.2.0/24 10.244.3.0/24 added", Announced(new(Everything: true, false, [])));
        Assert.Equal(GuardPlans.TunnelListed, GuardTests.Listed());
    }

    [Theory]
    [InlineData("delete table inet hostgw-guard", "the table is missing")]
    [InlineData("add chain inet hostgw-guard mine", "chain mine is foreign")]
    public void Where_a_part_cannot_be_compared_the_table_is(string command, string expected)
    {
        Make();
        Run($"nft '{command}'");

        Assert.Equal(expected, Announced(new(false, Rules: true, ["nodes4"])));
        Assert.Equal(GuardPlans.TunnelListed, GuardTests.Listed());
    }

    [Fact]
    public void Parts_that_were_compared_and_not_written_are_compared_again()
    {
        Make();
        Run("nft flush chain inet hostgw-guard inner");
        Assert.Equal("chain inner has 0 rules, not 8", Announced(new(false, Rules: true, []), writes: false));
        Assert.False(_guards.AreInstalled(GuardPlans.Tunnel, mayDiffer: false));

        Assert.Equal("chain inner has 0 rules, not 8", Announced(GuardParts.None));
    }

    [Fact]
    public void What_is_announced_may_differ_until_it_was_compared()
    {
        Make();
        Run("nft flush chain inet hostgw-guard inner");
        Assert.True(_guards.AreInstalled(GuardPlans.Tunnel, mayDiffer: false));
        Announce(new(false, Rules: true, []));
        Assert.False(_guards.AreInstalled(GuardPlans.Tunnel, mayDiffer: false));
    }

    public new void Dispose()
    {
        _guards.Dispose();
        base.Dispose();
    }

    private string Make() => GuardTests.Reach(_guards, GuardPlans.Tunnel);

    private string Announced(GuardParts parts, bool writes = true)
    {
        Announce(parts);
        return GuardTests.Reach(_guards, GuardPlans.Tunnel, reread: false, writes);
    }

    // As the kernel's messages name them, by table and set.
    private void Announce(GuardParts parts)
    {
        NftBatch batch = new(() => 1, GuardRuleset.TableName);
        if (parts.Everything)
            batch.Delete(NftFamily.Inet);
        if (parts.Rules)
            batch.DeleteRule(NftFamily.Inet, "inner", 1);
        foreach (string set in parts.Sets)
            batch.DeleteElements(NftFamily.Inet, set, [AddressRange.Of(Prefix.Parse("192.0.2.2/32"))]);
        var messages = new NetlinkMessages(batch.Messages.Written);
        while (messages.Next())
        {
            if (RuleNotifications.Concerns(messages.Header.Type, messages.Payload))
                _guards.News.Add(messages.Header.Type, messages.Payload);
        }
    }
}
