using System.Buffers.Binary;
using System.Text;

namespace HostGw.Lab.Tests.Image;

/// <summary>
/// The published program stays small. What breaks this is nearly always a reference that keeps a whole library alive:
/// KubernetesClient's models add 13 to 15 MB to the file and 10 MB to the memory of every node.
/// </summary>
public sealed class ProgramSizeTests
{
    private const int MaxFileBytes = 20_000_000, MaxHydratedBytes = 5_000_000;

    private static string Program => Path.Combine(BuiltImage.Repository, "artifacts/hostgw/hostgw");

    [Fact]
    public void The_file_has_at_most_20_MB() => Assert.InRange(new FileInfo(Program).Length, 1, MaxFileBytes);

    // Native AOT fills it when the process starts: all of it is memory from then on.
    [Fact]
    public void Its_section_hydrated_has_at_most_5_MB() => Assert.InRange((int)SectionSize(File.ReadAllBytes(Program), ".hydrated"), 1, MaxHydratedBytes);

    // A 64-bit little-endian ELF file: https://man7.org/linux/man-pages/man5/elf.5.html
    private static ulong SectionSize(ReadOnlySpan<byte> file, string name)
    {
        const int Offset = 24, Size = 32;
        int table = (int)BinaryPrimitives.ReadUInt64LittleEndian(file[40..]);
        int entry = BinaryPrimitives.ReadUInt16LittleEndian(file[58..]), count = BinaryPrimitives.ReadUInt16LittleEndian(file[60..]);
        ReadOnlySpan<byte> nameTable = file[(table + (BinaryPrimitives.ReadUInt16LittleEndian(file[62..]) * entry))..];
        ReadOnlySpan<byte> names = file[(int)BinaryPrimitives.ReadUInt64LittleEndian(nameTable[Offset..])..];
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> section = file[(table + (i * entry))..];
            ReadOnlySpan<byte> found = names[(int)BinaryPrimitives.ReadUInt32LittleEndian(section)..];
            if (found[..found.IndexOf((byte)0)].SequenceEqual(Encoding.ASCII.GetBytes(name)))
                return BinaryPrimitives.ReadUInt64LittleEndian(section[Size..]);
        }
        throw new InvalidDataException($"no section {name}: not a Native AOT program");
    }
}
