namespace HostGw.Kubernetes;

/// <summary>Reads the wire form of protocol buffers from what has arrived so far.</summary>
/// <remarks>https://protobuf.dev/programming-guides/encoding/</remarks>
internal ref struct ProtobufReader(ReadOnlySpan<byte> data)
{
    private const int LongestVarint = 10;

    private readonly ReadOnlySpan<byte> _data = data;

    /// <summary>The first bytes of every encoded Kubernetes object; a runtime.Unknown, which holds it, follows.</summary>
    public static ReadOnlySpan<byte> Magic => "k8s\0"u8;

    public int Position { get; private set; }

    public readonly ReadOnlySpan<byte> Rest => _data[Position..];

    /// <summary>A field's header: its number, its kind, and its length or value. False: it has not arrived whole.</summary>
    /// <exception cref="InvalidDataException">This is no field.</exception>
    public bool TryReadField(out ProtobufField field)
    {
        field = default;
        if (!TryReadVarint(out ulong tag))
            return false;
        if (tag >> 3 is 0 or > int.MaxValue)
            throw new InvalidDataException("a field without a number");

        int number = (int)(tag >> 3);
        bool isWhole = true;
        switch (tag & 7)
        {
            case 0:
                isWhole = TryReadVarint(out ulong value);
                field = new(number, false, value);
                break;
            case 1:
                field = new(number, true, sizeof(ulong));
                break;
            case 2:
                isWhole = TryReadVarint(out ulong length);
                field = new(number, true, length);
                break;
            case 5:
                field = new(number, true, sizeof(uint));
                break;
            default:
                throw new InvalidDataException("a field of an unknown kind");
        }
        return isWhole;
    }

    /// <summary>The bytes of a field; false: they have not arrived whole.</summary>
    public bool TryReadBytes(ProtobufField field, out ReadOnlySpan<byte> bytes)
    {
        bool isWhole = field.Value <= (ulong)Rest.Length;
        bytes = isWhole ? Rest[..(int)field.Value] : default;
        Position += bytes.Length;
        return isWhole;
    }

    private bool TryReadVarint(out ulong value)
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
        throw new InvalidDataException("a number that does not end");
    }
}

/// <param name="Value">The number, or how many bytes follow.</param>
internal readonly record struct ProtobufField(int Number, bool HasBytes, ulong Value);
