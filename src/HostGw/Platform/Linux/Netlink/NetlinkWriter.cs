using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace HostGw.Platform.Linux.Netlink;

/// <summary>Flags of requests, the same for all families (linux/netlink.h).</summary>
internal static class NetlinkFlags
{
    public const ushort NLM_F_REQUEST = 0x1;
    public const ushort NLM_F_ACK = 0x4;
    public const ushort NLM_F_DUMP = 0x300;
    public const ushort NLM_F_REPLACE = 0x100;
    public const ushort NLM_F_EXCL = 0x200;
    public const ushort NLM_F_CREATE = 0x400;
    public const ushort NLM_F_APPEND = 0x800;
}

/// <summary>Encodes netlink messages, one after the other, in one reusable buffer. Lengths are filled in here, never by callers.</summary>
/// <remarks>Layout and alignment: https://docs.kernel.org/userspace-api/netlink/intro.html</remarks>
internal sealed class NetlinkWriter
{
    public const int HeaderLength = 16;
    public const ushort Nested = 0x8000; // NLA_F_NESTED
    private const int Alignment = 4;

    private readonly List<int> _starts = [];
    private byte[] _buffer = new byte[4096];
    private int _length;

    /// <summary>The number of messages begun.</summary>
    public int Count => _starts.Count;

    /// <summary>The number of bytes written, including the open message.</summary>
    public int Length => _length;

    public void Clear()
    {
        _starts.Clear();
        _length = 0;
    }

    /// <summary>Opens message number <see cref="Count"/>; its sequence number is <paramref name="sequence"/>.</summary>
    public void Begin(ushort type, ushort flags, uint sequence)
    {
        Align();
        _starts.Add(_length);
        Span<byte> header = Take(HeaderLength);
        MemoryMarshal.Write(header[4..], type);
        MemoryMarshal.Write(header[6..], flags);
        MemoryMarshal.Write(header[8..], sequence);
    }

    /// <summary>Ends the open message.</summary>
    public void End() => MemoryMarshal.Write(_buffer.AsSpan(_starts[^1]), (uint)(_length - _starts[^1]));

    /// <summary>Appends a fixed-size family header, such as rtmsg.</summary>
    public void Write<T>(T value) where T : unmanaged => MemoryMarshal.Write(Take(Unsafe.SizeOf<T>()), in value);

    /// <summary>Appends an attribute in host byte order, as rtnetlink uses it.</summary>
    public void Attribute<T>(ushort type, T value) where T : unmanaged
    {
        int start = Open(type);
        MemoryMarshal.Write(Take(Unsafe.SizeOf<T>()), in value);
        Close(start);
    }

    /// <summary>Appends a 32-bit attribute in network byte order, as nfnetlink uses it.</summary>
    public void AttributeBigEndian(ushort type, uint value) => Attribute(type, BinaryPrimitives.ReverseEndianness(value));

    /// <inheritdoc cref="AttributeBigEndian(ushort, uint)"/>
    public void AttributeBigEndian(ushort type, ulong value) => Attribute(type, BinaryPrimitives.ReverseEndianness(value));

    public void Attribute(ushort type, Ip address)
    {
        int start = Open(type);
        address.WriteBytes(Take(address.Bits / 8));
        Close(start);
    }

    public void Attribute(ushort type, ReadOnlySpan<byte> value)
    {
        int start = Open(type);
        value.CopyTo(Take(value.Length));
        Close(start);
    }

    /// <summary>Appends a zero-terminated string.</summary>
    public void Attribute(ushort type, string value)
    {
        int start = Open(type);
        Span<byte> bytes = Take(Encoding.UTF8.GetByteCount(value) + 1);
        Encoding.UTF8.GetBytes(value, bytes);
        bytes[^1] = 0;
        Close(start);
    }

    /// <summary>Opens a nested attribute; pass the result to <see cref="EndNested"/>.</summary>
    public int BeginNested(ushort type) => Open((ushort)(type | Nested));

    public void EndNested(int start) => Close(start);

    /// <summary>The bytes of the messages from <paramref name="index"/> up to, but not including, <paramref name="end"/>.</summary>
    public ReadOnlySpan<byte> Messages(int index, int end) =>
        _buffer.AsSpan(_starts[index]..(end == Count ? _length : _starts[end]));

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    private int Open(ushort type)
    {
        Align();
        int start = _length;
        MemoryMarshal.Write(Take(4)[2..], type);
        return start;
    }

    private void Close(int start) => MemoryMarshal.Write(_buffer.AsSpan(start), (ushort)(_length - start));

    // Padding is written before the next item, so an attribute's length never includes it.
    private void Align() => Take(-_length & (Alignment - 1));

    private Span<byte> Take(int count)
    {
        if (_length + count > _buffer.Length)
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + count));

        Span<byte> taken = _buffer.AsSpan(_length, count);
        taken.Clear();
        _length += count;
        return taken;
    }
}
