namespace HostGw.Nodes;

/// <summary>Reads the wire form of protocol buffers from what has arrived so far.</summary>
/// <remarks>https://protobuf.dev/programming-guides/encoding/</remarks>
internal ref struct ProtobufReader(ReadOnlySpan<byte> data)
{
    private const int LongestVarint = 10;

    private readonly ReadOnlySpan<byte> _data = data;

    public int Position { get; private set; }

    public readonly ReadOnlySpan<byte> Rest => _data[Position..];

    /// <summary>False: it has not arrived whole.</summary>
    /// <exception cref="NodeStreamException">It is longer than any number.</exception>
    public bool TryReadVarint(out ulong value)
    {
        value = 0;
        for (int i = 0; i < LongestVarint; i++)
        {
            if (Position + i >= _data.Length)
                return false;
            byte part = _data[Position + i];
            value |= (ulong)(part & 0x7F) << (7 * i);
            if (part < 0x80)
            {
                Position += i + 1;
                return true;
            }
        }
        throw new NodeStreamException("The API server sent broken protobuf: a number that does not end");
    }

    /// <summary>A field's header: its number, its kind, and its length or value. False: it has not arrived whole.</summary>
    /// <exception cref="NodeStreamException">This is no field.</exception>
    public bool TryReadField(out ProtobufField field)
    {
        field = default;
        if (!TryReadVarint(out ulong tag))
            return false;

        int number = (int)Math.Min(tag >> 3, int.MaxValue);
        switch (tag & 7)
        {
            case 0:
                bool whole = TryReadVarint(out ulong value);
                field = new(number, false, value);
                return whole && Checked(number);
            case 1:
                field = new(number, true, sizeof(ulong));
                return Checked(number);
            case 2:
                whole = TryReadVarint(out value);
                field = new(number, true, value);
                return whole && Checked(number);
            case 5:
                field = new(number, true, sizeof(uint));
                return Checked(number);
            default:
                throw new NodeStreamException("The API server sent broken protobuf: a field of an unknown kind");
        }
    }

    private static bool Checked(int number) =>
        number > 0 ? true : throw new NodeStreamException("The API server sent broken protobuf: a field without a number");
}

/// <param name="Value">The number, or how many bytes follow.</param>
internal readonly record struct ProtobufField(int Number, bool HasBytes, ulong Value);
