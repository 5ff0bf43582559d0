using System.Buffers.Binary;
using System.Numerics;

namespace HostGw.Platform.Linux.Census;

/// <summary>How much of a class of packets a condition matches, or a rule receives; the smaller one of two decides.</summary>
internal enum Match
{
    None,

    /// <summary>A part, or it is not known.</summary>
    Some,
    All,
}

internal static class Matches
{
    public static Match And(this Match a, Match b) => a < b ? a : b;

    public static Match Not(this Match match) => Match.All - (int)match;

    /// <param name="share">Of the packets. Exceptions, such as one pod or one port, do not count.</param>
    public static Match OfShare(double share) => share < 1 / 16d ? Match.None : share > 15 / 16d ? Match.All : Match.Some;
}

/// <summary>
/// Bytes of a class of packets, as the kernel's registers and headers hold them. A bit is known; or takes every value among the
/// packets of the class, such as a port's; or is in doubt, because HostGw does not know what packets have there.
/// </summary>
internal sealed class KnownBits(int length)
{
    // Fewer open bits than these are a share that counts.
    private const int FewBits = 4;

    private readonly byte[] _value = new byte[length], _known = new byte[length];
    private readonly bool[] _doubtful = new bool[length];

    public int Length => length;

    public void Set(int offset, ReadOnlySpan<byte> value)
    {
        Clear(offset, value.Length, doubtful: false);
        for (int i = 0; i < value.Length && offset + i < length; i++)
            (_value[offset + i], _known[offset + i]) = (value[i], 0xFF);
    }

    /// <summary>The prefix is known, and the rest takes every value.</summary>
    public void Set(int offset, Prefix prefix)
    {
        Span<byte> bytes = stackalloc byte[16];
        int count = prefix.Address.WriteBytes(bytes);
        Set(offset, bytes[..count]);
        for (int bit = prefix.Length; bit < count * 8 && offset + (bit / 8) < length; bit++)
            _known[offset + (bit / 8)] &= (byte)~(0x80 >> (bit % 8));
        Normalize(offset, count);
    }

    public void Set(int offset, uint value, uint known)
    {
        Span<byte> bytes = stackalloc byte[4];
        BitConverter.TryWriteBytes(bytes, value);
        Set(offset, bytes);
        BitConverter.TryWriteBytes(bytes, known);
        for (int i = 0; i < 4 && offset + i < length; i++)
            (_known[offset + i], _doubtful[offset + i]) = (bytes[i], bytes[i] != 0xFF);
        Normalize(offset, 4);
    }

    /// <summary>In doubt, or any value.</summary>
    public void Clear(int offset, int count, bool doubtful)
    {
        for (int i = Math.Max(offset, 0); i < offset + count && i < length; i++)
            (_value[i], _known[i], _doubtful[i]) = (0, 0, doubtful);
    }

    public void Copy(KnownBits from, int start, int offset, int count)
    {
        for (int i = 0; i < count && offset + i < length; i++)
        {
            (_value[offset + i], _known[offset + i], _doubtful[offset + i]) = start + i >= 0 && start + i < from.Length
                ? (from._value[start + i], from._known[start + i], from._doubtful[start + i])
                : ((byte)0, (byte)0, true);
        }
    }

    public void MaskAndXor(int offset, ReadOnlySpan<byte> mask, ReadOnlySpan<byte> xor)
    {
        for (int i = 0; i < mask.Length && offset + i < length; i++)
        {
            byte kept = mask[i], flipped = i < xor.Length ? xor[i] : (byte)0;
            _value[offset + i] = (byte)((_value[offset + i] & kept) ^ flipped);
            _known[offset + i] |= (byte)~kept;
            _doubtful[offset + i] &= kept != 0 && _known[offset + i] != 0xFF;
        }
        Normalize(offset, mask.Length, keepValue: true);
    }

    public void Reverse(int offset, int count, int size)
    {
        for (int start = offset; size > 1 && start + size <= Math.Min(offset + count, length); start += size)
        {
            Array.Reverse(_value, start, size);
            Array.Reverse(_known, start, size);
            Array.Reverse(_doubtful, start, size);
        }
    }

    /// <summary>The value in host byte order, and which bits of it are known.</summary>
    public (uint Value, uint Known) Read(int offset) => offset + 4 > length
        ? (0, 0)
        : (BitConverter.ToUInt32(_value, offset), BitConverter.ToUInt32(_known, offset));

    /// <summary>How many packets have these bytes there.</summary>
    public Match IsEqual(int offset, ReadOnlySpan<byte> data)
    {
        int open = 0;
        bool doubtful = false;
        for (int i = 0; i < data.Length; i++)
        {
            if (offset + i >= length)
                return Match.Some;
            if (((_value[offset + i] ^ data[i]) & _known[offset + i]) != 0)
                return Match.None;
            open += 8 - BitOperations.PopCount(_known[offset + i]);
            doubtful |= _doubtful[offset + i];
        }
        return open == 0 ? Match.All : doubtful || open < FewBits ? Match.Some : Match.None;
    }

    /// <summary>How many packets have a number in this range there, in network byte order.</summary>
    public Match IsWithin(int offset, ReadOnlySpan<byte> first, ReadOnlySpan<byte> last)
    {
        if (first.Length != last.Length || !TryRange(offset, first.Length, out NumberRange range, out bool doubtful))
            return Match.Some;
        Match match = Matches.OfShare(range.ShareWithin(new(NumberOf(first), NumberOf(last))));
        return match == Match.None && doubtful && range.ShareWithin(new(NumberOf(first), NumberOf(last))) > 0 ? Match.Some
            : match == Match.All && doubtful && range.ShareWithin(new(NumberOf(first), NumberOf(last))) < 1 ? Match.Some : match;
    }

    /// <summary>The smallest and the largest number there; false if it is longer than any number.</summary>
    public bool TryRange(int offset, int count, out NumberRange range, out bool doubtful)
    {
        (UInt128 first, UInt128 open) = (0, 0);
        doubtful = false;
        for (int i = 0; i < count && offset + i < length; i++)
        {
            first = (first << 8) | (byte)(_value[offset + i] & _known[offset + i]);
            open = (open << 8) | (byte)~_known[offset + i];
            doubtful |= _doubtful[offset + i];
        }
        range = new(first, first | open);
        return count is > 0 and <= 16 && offset >= 0 && offset + count <= length;
    }

    public static UInt128 NumberOf(ReadOnlySpan<byte> bytes)
    {
        Span<byte> padded = stackalloc byte[16];
        padded.Clear();
        bytes = bytes[..Math.Min(16, bytes.Length)];
        bytes.CopyTo(padded[(16 - bytes.Length)..]);
        return BinaryPrimitives.ReadUInt128BigEndian(padded);
    }

    private void Normalize(int offset, int count, bool keepValue = false)
    {
        for (int i = offset; i < offset + count && i < length; i++)
            _value[i] &= keepValue ? (byte)0xFF : _known[i];
    }
}

/// <summary>Numbers from the first to the last.</summary>
internal readonly record struct NumberRange(UInt128 First, UInt128 Last)
{
    /// <summary>Which share of these numbers is in the other range.</summary>
    public double ShareWithin(NumberRange other)
    {
        UInt128 first = UInt128.Max(First, other.First), last = UInt128.Min(Last, other.Last);
        return first > last ? 0 : ((double)(last - first) + 1) / ((double)(Last - First) + 1);
    }
}
