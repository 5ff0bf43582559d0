using FsCheck.Fluent;
using HostGw.Platform.Linux.Netlink;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Platform.Linux.Netlink;

public class NetlinkAckTests
{
    private const ushort Capped = 0x100;
    private const ushort Explained = 0x200;

    // EINVAL, then the header of a request of 44 bytes.
    private const string Refusal = "EAFFFFFF" + "2C000000" + "1800" + "0506" + "07000000" + "00000000";

    // The rest of that request, of which nobody but the kernel knows what it means.
    private const string Body = "02180000FE9D000104000000" + "080001000AF40200" + "0800040002000000";

    // NLMSGERR_ATTR_OFFS 36, then NLMSGERR_ATTR_MSG "Nexthop has invalid gateway" with its zero.
    private const string Text = "08000200" + "24000000" + "20000100" + "4E657874686F702068617320696E76616C6964206761746577617900";

    [Theory]
    [InlineData(0, Refusal + Body, null)]
    [InlineData(Capped, Refusal, null)]
    [InlineData(Capped | Explained, Refusal + Text, "Nexthop has invalid gateway")]
    [InlineData(Explained, Refusal + Body + Text, "Nexthop has invalid gateway")]
    [InlineData(Capped, Refusal + Text, null)]
    [InlineData(Capped | Explained, Refusal, null)]
    [InlineData(Explained, Refusal, null)]
    [InlineData(Capped | Explained, "EAFFFFFF", null)]
    [InlineData(Explained, "EAFFFFFF" + "FFFFFFFF" + "1800" + "0506" + "07000000" + "00000000" + Text, null)]
    [InlineData(Explained, "EAFFFFFF" + "FDFFFF7F" + "1800" + "0506" + "07000000" + "00000000" + Text, null)]
    [InlineData(Explained, "EAFFFFFF" + "00000080" + "1800" + "0506" + "07000000" + "00000000" + Text, null)]
    [InlineData(Capped | Explained, Refusal + "FF000100" + "4E657874", null)]
    public void The_kernels_own_sentence_is_found_behind_the_echoed_request(int flags, string hex, string? explanation)
    {
        NetlinkException? failure = NetlinkAck.Failure("add route 10.244.2.0/24", (ushort)flags, Convert.FromHexString(hex));

        Assert.NotNull(failure);
        Assert.Equal(22, failure.Errno);
        Assert.Equal(explanation, failure.Explanation);
        Assert.StartsWith("add route 10.244.2.0/24: ", failure.Message, StringComparison.Ordinal);
        Assert.Equal(explanation is not null, failure.Message.EndsWith("(Nexthop has invalid gateway)", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("00000000")]
    [InlineData("00000000" + "2C000000" + "1800" + "0506" + "07000000" + "00000000")]
    [InlineData("FFFF")]
    [InlineData("05000000")]
    public void Success_is_no_failure(string hex) => Assert.Null(NetlinkAck.Failure("x", 0, Convert.FromHexString(hex)));

    [Theory]
    [InlineData("FDFFFFFF", true)]  // ESRCH
    [InlineData("FEFFFFFF", true)]  // ENOENT
    [InlineData("EFFFFFFF", false)] // EEXIST
    [InlineData("FFFFFFFF", false)] // EPERM
    public void What_was_not_there_is_known_as_such(string hex, bool isNotFound) =>
        Assert.Equal(isNotFound, NetlinkAck.Failure("x", 0, Convert.FromHexString(hex))!.IsNotFound);

    [Fact]
    public void Whatever_the_bytes_reading_an_ack_does_no_harm() => Always.Holds(
        from flags in Gen.Choose(0, ushort.MaxValue)
        from bytes in Gen.ArrayOf(Gen.Choose(0, 255).Select(i => (byte)i))
        select (flags, bytes),
        c =>
        {
            NetlinkAck.Failure("x", (ushort)c.flags, c.bytes);
            NetlinkAck.Failure("x", (ushort)c.flags, [0xEA, 0xFF, 0xFF, 0xFF, .. c.bytes]);
        },
        count: 5000);

    [Fact]
    public void Each_message_of_a_batch_is_answered_once()
    {
        NetlinkWriter batch = new();
        foreach ((uint sequence, ushort flags) in ((uint, ushort)[])[(10, 5), (11, 5), (12, 1), (13, 5)])
        {
            batch.Begin(24, flags, sequence);
            batch.Write(0ul);
            batch.End();
        }
        PendingAcks pending = new(batch.Messages(1, 4), firstIndex: 1);

        Assert.Equal(2, pending.Count);
        Assert.False(pending.TryTake(10, out _));
        Assert.False(pending.TryTake(12, out _));
        Assert.True(pending.IsWithoutAck(12));
        Assert.True(pending.TryTake(13, out int last) && last == 3);
        Assert.True(pending.TryTake(11, out int first) && first == 1);
        Assert.False(pending.TryTake(11, out _));
        Assert.Equal(0, pending.Count);
    }
}
