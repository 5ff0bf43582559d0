using System.Buffers.Binary;

namespace HostGw.Tests.Fuzzing;

/// <summary>Changes bytes as an enemy or a broken disk would. The same random numbers make the same changes.</summary>
internal sealed class Mutator(Random random, IReadOnlyList<byte[]> corpus, IReadOnlyList<byte[]> tokens)
{
    private const int MaxLength = 256 * 1024;

    private static readonly byte[] Edges = [0, 1, 3, 4, 5, 0x7F, 0x80, 0xFE, 0xFF, (byte)'"', (byte)'\\', (byte)'{', (byte)'[', (byte)':', (byte)'\n', 0xC0, 0xED];
    private static readonly uint[] Lengths = [0, 1, 3, 4, 7, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF];

    /// <summary>One of the corpus, changed once to eight times.</summary>
    public byte[] Next()
    {
        List<byte> bytes = [.. corpus[random.Next(corpus.Count)]];
        for (int times = 1 << random.Next(4); times > 0; times--)
            Change(bytes);
        if (bytes.Count > MaxLength)
            bytes.RemoveRange(MaxLength, bytes.Count - MaxLength);
        return [.. bytes];
    }

    private void Change(List<byte> bytes)
    {
        int at = random.Next(bytes.Count + 1), length = Math.Min(1 << random.Next(10), bytes.Count - at);
        switch (random.Next(10))
        {
            case 0 when at < bytes.Count: bytes[at] ^= (byte)(1 << random.Next(8)); break;
            case 1 when at < bytes.Count: bytes[at] = Edges[random.Next(Edges.Length)]; break;
            case 2: bytes.RemoveRange(at, bytes.Count - at); break;
            case 3: bytes.RemoveRange(at, length); break;
            case 4: bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(at, length)); break;
            case 5: Repeat(bytes, at, Math.Min(length, 16)); break;
            case 6: Splice(bytes, at); break;
            case 7: EditLength(bytes, at); break;
            case 8: Number(bytes, at); break;
            default: bytes.InsertRange(at, tokens.Count > 0 ? tokens[random.Next(tokens.Count)] : Noise()); break;
        }
    }

    // What nests deeper than anything was meant to.
    private void Repeat(List<byte> bytes, int at, int length)
    {
        byte[] part = [.. bytes.GetRange(at, length)];
        int times = 1 << random.Next(14);
        bytes.InsertRange(at, Enumerable.Repeat(part, Math.Min(times, 64 * 1024 / Math.Max(length, 1))).SelectMany(b => b));
    }

    private void Splice(List<byte> bytes, int at)
    {
        byte[] other = corpus[random.Next(corpus.Count)];
        bytes.RemoveRange(at, bytes.Count - at);
        bytes.AddRange(other.AsSpan(random.Next(other.Length + 1)).ToArray());
    }

    private void EditLength(List<byte> bytes, int at)
    {
        uint value = Lengths[random.Next(Lengths.Length)] + (uint)random.Next(3) - 1;
        byte[] written = new byte[random.Next(2) == 0 ? 2 : 4];
        if (written.Length == 2)
            BinaryPrimitives.WriteUInt16LittleEndian(written, (ushort)value);
        else if (random.Next(2) == 0)
            BinaryPrimitives.WriteUInt32LittleEndian(written, value);
        else
            BinaryPrimitives.WriteUInt32BigEndian(written, value);
        // Lengths are aligned where it matters.
        at &= ~1;
        for (int i = 0; i < written.Length && at + i < bytes.Count; i++)
            bytes[at + i] = written[i];
    }

    // A varint, in place of the byte that stands there.
    private void Number(List<byte> bytes, int at)
    {
        List<byte> varint = [];
        ulong value = (ulong)random.NextInt64() >> random.Next(64);
        for (; value > 0x7F; value >>= 7)
            varint.Add((byte)(value | 0x80));
        varint.Add((byte)value);
        bytes.RemoveRange(at, Math.Min(1, bytes.Count - at));
        bytes.InsertRange(at, varint);
    }

    private byte[] Noise()
    {
        byte[] noise = new byte[1 + random.Next(16)];
        random.NextBytes(noise);
        return noise;
    }
}
