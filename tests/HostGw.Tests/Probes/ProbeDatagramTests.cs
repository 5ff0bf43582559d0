using HostGw.Probes;

namespace HostGw.Tests.Probes;

public class ProbeDatagramTests
{
    private static readonly ProbeDatagram Question =
        new(ProbeKind.Question, ProbeFlags.TunnelsToYou, 0x01020304, new(0x1112131415161718, 0x2122232425262728));

    [Fact]
    public void Its_bytes_are_those_of_the_format()
    {
        byte[] bytes = Enumerable.Repeat((byte)0xFF, ProbeDatagram.Size).ToArray();
        Question.Write(bytes);

        Assert.Equal(
            "68677770" + "01" + "01" + "02" + "00" + "01020304" + "11121314151617182122232425262728" + new string('0', 72),
            Convert.ToHexString(bytes));
        Assert.True(ProbeDatagram.TryRead(bytes, out ProbeDatagram read, out _));
        Assert.Equal(Question, read);
    }

    // The offset and the value of one byte, and what the datagram is then.
    [Theory]
    [InlineData(0, 'x', ProbeResult.Malformed)]
    [InlineData(3, 0, ProbeResult.Malformed)]
    [InlineData(4, 0, ProbeResult.UnknownVersion)]
    [InlineData(4, 2, ProbeResult.UnknownVersion)]
    [InlineData(5, 0, ProbeResult.UnknownVersion)]
    [InlineData(5, 3, ProbeResult.UnknownVersion)]
    public void Another_format_is_not_read(int offset, int value, object expected)
    {
        byte[] bytes = Bytes();
        bytes[offset] = (byte)value;

        Assert.False(ProbeDatagram.TryRead(bytes, out _, out ProbeResult fault));
        Assert.Equal(expected, fault);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(28)]
    [InlineData(63)]
    [InlineData(65)]
    public void Another_size_is_not_read(int length)
    {
        byte[] bytes = Bytes();
        Array.Resize(ref bytes, length);

        Assert.False(ProbeDatagram.TryRead(bytes, out _, out ProbeResult fault));
        Assert.Equal(ProbeResult.Malformed, fault);
    }

    [Theory]
    [InlineData(63, false)]
    [InlineData(64, false)]
    [InlineData(65, true)]
    [InlineData(1472, true)]
    public void A_long_question_is_longer_than_others(int length, bool isOne)
    {
        byte[] bytes = Bytes();
        bytes[5] = (byte)ProbeKind.LongQuestion;
        Array.Resize(ref bytes, length);

        Assert.Equal(isOne, ProbeDatagram.TryRead(bytes, out ProbeDatagram read, out _));
        Assert.Equal(isOne ? Question with { Kind = ProbeKind.LongQuestion } : default, read);
    }

    [Fact]
    public void Any_64_bytes_are_read_or_refused()
    {
        Random random = new(16);
        byte[] bytes = new byte[ProbeDatagram.Size], again = new byte[ProbeDatagram.Size];
        for (int i = 0; i < 100_000; i++)
        {
            random.NextBytes(bytes);
            Bytes().AsSpan(0, random.Next(7)).CopyTo(bytes);
            if (!ProbeDatagram.TryRead(bytes, out ProbeDatagram read, out _))
                continue;
            read.Write(again);
            Assert.Equal(bytes[..7], again[..7]);
            Assert.Equal(bytes[8..28], again[8..28]);
        }
    }

    private static byte[] Bytes()
    {
        byte[] bytes = new byte[ProbeDatagram.Size];
        Question.Write(bytes);
        return bytes;
    }
}
