using System.Buffers;
using System.Text;

namespace HostGw.FakeApi.Encoders;

/// <summary>Writes fields in the wire form of protocol buffers.</summary>
/// <remarks>https://protobuf.dev/programming-guides/encoding/</remarks>
internal sealed class ProtobufWriter
{
    private const int Number = 0, Length = 2;

    private readonly ArrayBufferWriter<byte> _output = new();

    public ReadOnlySpan<byte> Written => _output.WrittenSpan;

    public void WriteNumber(int field, long value)
    {
        Varint(_output, Tag(field, Number));
        Varint(_output, (ulong)value);
    }

    public void WriteText(int field, string value) => WriteBytes(field, Encoding.UTF8.GetBytes(value));

    public void WriteBytes(int field, ReadOnlySpan<byte> value)
    {
        Header(_output, field, value.Length);
        _output.Write(value);
    }

    public void WriteMessage(int field, Action<ProtobufWriter> content)
    {
        var inner = new ProtobufWriter();
        content(inner);
        WriteBytes(field, inner.Written);
    }

    /// <summary>What stands before the bytes of a text, a message or a map entry.</summary>
    public static void Header(IBufferWriter<byte> output, int field, long length)
    {
        Varint(output, Tag(field, Length));
        Varint(output, (ulong)length);
    }

    /// <summary>Bytes that a field takes with its header; its number is below 16.</summary>
    public static long SizeOf(long length)
    {
        int header = 2;
        for (long rest = length >> 7; rest > 0; rest >>= 7)
            header++;
        return header + length;
    }

    private static ulong Tag(int field, int kind) => ((ulong)field << 3) | (uint)kind;

    private static void Varint(IBufferWriter<byte> output, ulong value)
    {
        Span<byte> bytes = stackalloc byte[10];
        int count = 0;
        for (; value >= 0x80; value >>= 7)
            bytes[count++] = (byte)(value | 0x80);
        bytes[count++] = (byte)value;
        output.Write(bytes[..count]);
    }
}
