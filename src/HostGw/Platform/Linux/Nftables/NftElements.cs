using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>Writes and reads set elements.</summary>
internal static class NftElements
{
    // A nested attribute holds at most 65,535 bytes; a range takes at most 64.
    private const int BytesPerMessage = 60_000;

    /// <summary>Writes as many messages as the elements need, each opened by <paramref name="begin"/>.</summary>
    public static void Write(NetlinkWriter writer, string set, ReadOnlySpan<AddressRange> elements, Action begin)
    {
        while (!elements.IsEmpty)
        {
            begin();
            writer.Attribute(NFTA_SET_ELEM_LIST_TABLE, MasqueradeRuleset.TableName);
            writer.Attribute(NFTA_SET_ELEM_LIST_SET, set);
            int list = writer.BeginNested(NFTA_SET_ELEM_LIST_ELEMENTS);
            int end = writer.Length + BytesPerMessage;
            int count = 0;
            while (count < elements.Length && writer.Length < end)
                Write(writer, elements[count++]);
            writer.EndNested(list);
            writer.End();
            elements = elements[count..];
        }
    }

    /// <summary>Adds the keys in one answer of an element dump.</summary>
    public static void Read(ReadOnlySpan<byte> payload, List<IntervalKey> keys)
    {
        var attributes = NftAttributes.Of(payload);
        while (attributes.Next())
        {
            if (attributes.Type != NFTA_SET_ELEM_LIST_ELEMENTS)
                continue;
            var list = new NetlinkAttributes(attributes.Value);
            while (list.Next())
                keys.Add(ReadKey(list.Value));
        }
    }

    private static void Write(NetlinkWriter writer, AddressRange range)
    {
        int start = writer.BeginNested(NFTA_LIST_ELEM);
        WriteKey(writer, range.First);
        writer.EndNested(start);
        if (range.IsOpen)
            return;

        int end = writer.BeginNested(NFTA_LIST_ELEM);
        writer.AttributeBigEndian(NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
        WriteKey(writer, range.Last.Plus(1));
        writer.EndNested(end);
    }

    private static void WriteKey(NetlinkWriter writer, Ip address)
    {
        int key = writer.BeginNested(NFTA_SET_ELEM_KEY);
        writer.Attribute(NFTA_DATA_VALUE, address);
        writer.EndNested(key);
    }

    private static IntervalKey ReadKey(ReadOnlySpan<byte> element)
    {
        Ip address = default;
        uint flags = 0;
        var attributes = new NetlinkAttributes(element);
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case NFTA_SET_ELEM_KEY:
                    address = Ip.FromBytes(NftAttributes.Find(attributes.Value, NFTA_DATA_VALUE));
                    break;
                case NFTA_SET_ELEM_FLAGS:
                    flags = attributes.ReadBigEndian();
                    break;
            }
        }
        return new(address, (flags & NFT_SET_ELEM_INTERVAL_END) != 0);
    }
}
