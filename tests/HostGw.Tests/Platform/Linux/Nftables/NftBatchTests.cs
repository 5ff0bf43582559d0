using System.Collections.Immutable;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Tests.Platform.Linux.Nftables;

public class NftBatchTests
{
    [Fact]
    public void A_small_plan_is_one_transaction_byte_for_byte()
    {
        NatPlan plan = new(
            NatSource.Pods, IPv4: true, IPv6: false, RandomFully: true,
            Nat.Prefixes("10.244.1.0/24"), Nat.Prefixes("10.244.0.0/16", "255.255.255.255/32"));
        NftBatch batch = NewBatch();
        foreach (NftTable table in MasqueradeRuleset.Of(plan, NftLayout.Inet))
        {
            batch.Clear(table.Family);
            batch.Build(table);
        }

        Assert.Equal(NftBatchGolden.Hex(NftBatchGolden.SmallPlan), Convert.ToHexString(batch.Finish().Written));
    }

    [Fact]
    public void Elements_move_byte_for_byte()
    {
        NftBatch batch = NewBatch();
        batch.DeleteElements(NftFamily.IPv4, "exempt4", Ranges("10.0.0.0/24"));
        batch.DeleteElements(NftFamily.IPv6, "exempt6", Ranges("ff00::/8"));
        batch.AddElements(NftFamily.IPv6, "exempt6", Ranges("fd00::1/128"));

        Assert.Equal(NftBatchGolden.Hex(NftBatchGolden.MovedElements), Convert.ToHexString(batch.Finish().Written));
    }

    [Fact]
    public void Every_message_inside_asks_for_an_answer_and_the_brackets_do_not()
    {
        NftBatch batch = NewBatch();
        batch.Clear(NftFamily.Inet);
        var messages = new NetlinkMessages(batch.Finish().Written);
        List<bool> acks = [];
        while (messages.Next())
            acks.Add((messages.Header.Flags & NetlinkFlags.NLM_F_ACK) != 0);

        Assert.Equal([false, true, true, false], acks);
    }

    [Fact]
    public void A_refused_message_is_called_by_what_it_asks_for()
    {
        NftBatch batch = NewBatch();
        batch.Build(Nat.Inet(Nat.Plan()));

        Assert.Equal("add table inet hostgw", batch.What(1));
        Assert.Equal("add set exempt4 to table inet hostgw", batch.What(2));
        Assert.Equal("add elements to set exempt4 of table inet hostgw", batch.What(3));
    }

    private static NftBatch NewBatch()
    {
        uint sequence = 0;
        return new NftBatch(() => ++sequence, MasqueradeRuleset.TableName);
    }

    private static AddressRange[] Ranges(params string[] prefixes) => [.. Nat.Prefixes(prefixes).Select(AddressRange.Of)];
}
