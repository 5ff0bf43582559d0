using System.Buffers.Binary;
using System.Text;
using HostGw.Platform.Linux.Netlink;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>What nfnetlink adds to attributes: a family header before them, numbers in network order.</summary>
internal static class NftAttributes
{
    /// <summary>The attributes behind nfgenmsg; none where the message is cut short.</summary>
    public static NetlinkAttributes Of(ReadOnlySpan<byte> payload) => new(payload[Math.Min(NfGenMsg.Size, payload.Length)..]);

    public static uint ReadBigEndian(this NetlinkAttributes attribute) => ReadBigEndian(attribute.Value);

    /// <summary>0 where the value is too short.</summary>
    public static uint ReadBigEndian(ReadOnlySpan<byte> value) =>
        BinaryPrimitives.TryReadUInt32BigEndian(value, out uint result) ? result : 0;

    public static string ReadString(this NetlinkAttributes attribute) => Encoding.UTF8.GetString(attribute.Value.TrimEnd((byte)0));

    /// <summary>The value of the first attribute of this type; empty where there is none.</summary>
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> attributes, ushort type)
    {
        var walk = new NetlinkAttributes(attributes);
        while (walk.Next())
        {
            if (walk.Type == type)
                return walk.Value;
        }
        return default;
    }
}
