using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>nfgenmsg, the family header of every nfnetlink message.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct NfGenMsg(byte family, ushort resource = 0)
{
    public const int Size = 4;

    public readonly byte Family = family;
    public readonly byte Version;

    // Network order: the only such field outside an attribute.
    private readonly ushort _resource = BinaryPrimitives.ReverseEndianness(resource);
}
