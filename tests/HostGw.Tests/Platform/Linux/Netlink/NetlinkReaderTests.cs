using FsCheck.Fluent;
using HostGw.Platform.Linux.Netlink;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Platform.Linux.Netlink;

public class NetlinkReaderTests
{
    private static FsCheck.Gen<byte[]> Bytes => Gen.ArrayOf(
        Gen.Frequency((3, Gen.Elements<byte>(0, 1, 4, 5, 8, 16, 17, 20)), (1, Gen.Choose(0, 255).Select(i => (byte)i))));

    // Header fields: length, type, flags, sequence, port; then what is found as "type:payload".
    [Theory]
    [InlineData("", "")]
    [InlineData("100000000200000001000000" + "05000000", "2:")]
    [InlineData("140000000200000001000000" + "05000000" + "AABBCCDD", "2:AABBCCDD")]
    [InlineData("120000000200000001000000" + "05000000" + "AABB0000" + "10000000030000000100000005000000", "2:AABB 3:")]
    [InlineData("110000000200000001000000" + "05000000" + "AA", "2:AA")]
    [InlineData("100000000200000001000000" + "050000", "")]
    [InlineData("000000000200000001000000" + "05000000", "")]
    [InlineData("0F0000000200000001000000" + "05000000", "")]
    [InlineData("110000000200000001000000" + "05000000", "")]
    [InlineData("FFFFFFFF0200000001000000" + "05000000", "")]
    [InlineData("000000800200000001000000" + "05000000", "")]
    [InlineData("10000000020000000100000005000000" + "FFFFFF7F030000000100000005000000", "2:")]
    public void Messages_are_walked_until_a_length_lies(string hex, string expected)
    {
        List<string> found = [];
        var messages = new NetlinkMessages(Convert.FromHexString(hex));
        while (messages.Next())
            found.Add($"{messages.Header.Type}:{Convert.ToHexString(messages.Payload)}");
        Assert.Equal(expected, string.Join(' ', found));
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("040001000400020004000300", "1: 2: 3:")]
    [InlineData("05000100AA00000006000200BBCC0000", "1:AA 2:BBCC")]
    [InlineData("05000100AA", "1:AA")]
    [InlineData("0500018005", "1:05")]
    [InlineData("0500014005", "1:05")]
    [InlineData("000001000400020004000300", "")]
    [InlineData("030001000400020004000300", "")]
    [InlineData("04000100FFFF0200AABBCCDD", "1:")]
    [InlineData("0400", "")]
    public void Attributes_are_walked_until_a_length_lies(string hex, string expected)
    {
        List<string> found = [];
        var attributes = new NetlinkAttributes(Convert.FromHexString(hex));
        while (attributes.Next())
            found.Add($"{attributes.Type}:{Convert.ToHexString(attributes.Value)}");
        Assert.Equal(expected, string.Join(' ', found));
    }

    [Fact]
    public void A_value_shorter_than_its_type_is_zero()
    {
        var attributes = new NetlinkAttributes([6, 0, 1, 0, 0xFF, 0xFF, 0, 0]);
        Assert.True(attributes.Next());
        Assert.Equal(0u, attributes.Read<uint>());
        Assert.Equal(0xFFFF, attributes.Read<ushort>());
    }

    [Fact]
    public void Whatever_the_bytes_the_walk_ends_and_stays_inside() => Always.Holds(
        Bytes,
        bytes =>
        {
            int steps = 0, inside = 0;
            var messages = new NetlinkMessages(bytes);
            while (messages.Next())
            {
                inside += NetlinkWriter.HeaderLength + messages.Payload.Length;
                Assert.True(++steps <= bytes.Length);
            }
            Assert.True(inside <= bytes.Length);

            var attributes = new NetlinkAttributes(bytes);
            while (attributes.Next())
                Assert.True(++steps <= bytes.Length * 2);
        },
        count: 5000);

    [Fact]
    public void What_the_writer_writes_the_reader_reads() => Always.Holds(
        Gen.ArrayOf(Gen.ArrayOf(Bytes)),
        messages =>
        {
            NetlinkWriter writer = new();
            foreach (byte[][] attributes in messages)
            {
                writer.Begin(24, 5, (uint)writer.Count);
                writer.Write(0x01020304);
                int nest = writer.BeginNested(9);
                for (int i = 0; i < attributes.Length; i++)
                    writer.Attribute((ushort)i, attributes[i]);
                writer.EndNested(nest);
                writer.End();
            }

            List<byte[][]> read = [];
            var reader = new NetlinkMessages(writer.Written);
            while (reader.Next())
            {
                Assert.Equal((24, 5, (uint)read.Count), (reader.Header.Type, reader.Header.Flags, reader.Header.Sequence));
                read.Add(Attributes(reader.Payload[4..]));
            }
            Assert.Equal(messages, read);
        },
        count: 300);

    private static byte[][] Attributes(ReadOnlySpan<byte> payload)
    {
        var outer = new NetlinkAttributes(payload);
        Assert.True(outer.Next() && outer.Type == 9);
        List<byte[]> values = [];
        var inner = new NetlinkAttributes(outer.Value);
        while (inner.Next())
            values.Add(inner.Value.ToArray());
        return [.. values];
    }
}
