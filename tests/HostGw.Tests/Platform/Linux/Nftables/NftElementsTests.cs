using System.Collections.Immutable;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Tests.Platform.Linux.Nftables;

public class NftElementsTests
{
    // The keys as the kernel might dump them, "]" before an end, and the ranges that they mean.
    public static TheoryData<string, string, string> Cases => new()
    {
        { "an empty set", "", "" },
        { "the lone end that nft puts at zero", "]0.0.0.0", "" },
        { "one prefix, the end first", "]10.0.1.0 10.0.0.0", "10.0.0.0/24" },
        { "adjacent prefixes stay two", "10.0.0.0 ]10.0.1.0 10.0.1.0 ]10.0.2.0", "10.0.0.0/24 10.0.1.0/24" },
        { "adjacent prefixes, dumped backwards", "]10.0.2.0 10.0.1.0 ]10.0.1.0 10.0.0.0", "10.0.0.0/24 10.0.1.0/24" },
        { "a single address", "192.0.2.7 ]192.0.2.8", "192.0.2.7/32" },
        { "the last address has no end", "255.255.255.255", "255.255.255.255/32" },
        { "everything", "0.0.0.0", "0.0.0.0/0" },
        { "everything, after nft's lone end", "0.0.0.0 ]0.0.0.0", "0.0.0.0/0" },
        { "IPv6 multicast has no end", "]:: ff00::", "ff00::/8" },
        { "all of IPv6", "::", "::/0" },
        { "a range that is no prefix", "10.0.0.1 ]10.0.0.10", "10.0.0.1-10.0.0.9" },
        { "a start inside another ends it", "10.0.0.0 10.0.0.8 ]10.0.0.16", "10.0.0.0/29 10.0.0.8/29" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Keys_are_paired_to_ranges(string because, string keys, string expected)
    {
        List<IntervalKey> dumped =
        [
            .. keys.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(k => new IntervalKey(Ip.Parse(k.TrimStart(']')), k[0] == ']')),
        ];

        string actual = string.Join(' ', IntervalKeys.Pair(dumped));
        Assert.True(expected == actual, $"{because}: got {actual}");
    }

    [Fact]
    public void Twenty_thousand_elements_are_split_where_the_attribute_ends_and_never_inside_a_range()
    {
        ImmutableArray<AddressRange> ranges =
            [.. Enumerable.Range(0, 20_000).Select(i => AddressRange.Of(new Prefix(Ip.V6((UInt128)i << 64), 64)))];
        uint sequence = 0;
        NftBatch batch = new(() => ++sequence, MasqueradeRuleset.TableName);
        batch.AddElements(NftFamily.Inet, "exempt6", ranges.AsSpan());

        List<AddressRange> read = [];
        int messages = 0;
        var walk = new NetlinkMessages(batch.Finish().Written);
        while (walk.Next())
        {
            if ((walk.Header.Type & 0xFF) != NfTables.NFT_MSG_NEWSETELEM)
                continue;
            List<IntervalKey> keys = [];
            NftElements.Read(walk.Payload, keys);
            read.AddRange(IntervalKeys.Pair(keys));
            Assert.True(walk.Payload.Length < ushort.MaxValue, "one attribute holds the list: 64 KiB at most");
            messages++;
        }
        Assert.Equal(ranges, read);
        Assert.InRange(messages, 20, 30);
    }
}
