using System.Collections.Immutable;
using System.Numerics;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>An element of an interval set. HostGw's are prefixes; elements that somebody else added may be any range.</summary>
internal readonly record struct AddressRange(Ip First, Ip Last) : IComparable<AddressRange>
{
    /// <summary>It ends with the last address of the family, so the kernel stores no end for it.</summary>
    public bool IsOpen => Last.Value == (Last.IsIPv4 ? uint.MaxValue : UInt128.MaxValue);

    public static AddressRange Of(Prefix prefix) => new(prefix.Address, prefix.Last);

    /// <summary>Null if the range is not a prefix.</summary>
    public Prefix? AsPrefix()
    {
        UInt128 hostMask = First.Value ^ Last.Value;
        bool isPrefix = (hostMask & (hostMask + 1)) == 0 && (First.Value & hostMask) == 0;
        int hostBits = BitOperations.PopCount((ulong)hostMask) + BitOperations.PopCount((ulong)(hostMask >> 64));
        return isPrefix ? new Prefix(First, (byte)(First.Bits - hostBits)) : null;
    }

    /// <summary>By first address, then the larger range first.</summary>
    public int CompareTo(AddressRange other)
    {
        int result = First.CompareTo(other.First);
        return result != 0 ? result : other.Last.CompareTo(Last);
    }

    public override string ToString() => AsPrefix()?.ToString() ?? $"{First}-{Last}";
}

/// <summary>Encodes and decodes set elements.</summary>
internal static class NftElements
{
    // A nested attribute holds at most 65,535 bytes; a range takes at most 64.
    private const int BytesPerMessage = 60_000;

    /// <summary>Writes as many messages as the elements need, each begun by <paramref name="begin"/>.</summary>
    public static void Write(NetlinkWriter writer, string table, string set, ReadOnlySpan<AddressRange> elements, Action begin)
    {
        while (!elements.IsEmpty)
        {
            begin();
            writer.Attribute(NFTA_SET_ELEM_LIST_TABLE, table);
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

    /// <summary>Adds the keys of one message of an element dump.</summary>
    public static void Read(ReadOnlySpan<byte> payload, List<IntervalKey> keys)
    {
        var attributes = new NetlinkAttributes(NfGenMsg.AttributesOf(payload));
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
                    address = Ip.FromBytes(NetlinkAttributes.Find(attributes.Value, NFTA_DATA_VALUE));
                    break;
                case NFTA_SET_ELEM_FLAGS:
                    flags = attributes.ReadBigEndian();
                    break;
            }
        }
        return new(address, (flags & NFT_SET_ELEM_INTERVAL_END) != 0);
    }
}

/// <summary>A key of an interval set as the kernel stores it: the start of a range, or its exclusive end.</summary>
internal readonly record struct IntervalKey(Ip Address, bool IsEnd) : IComparable<IntervalKey>
{
    // At the same address the end of one range comes before the start of the next.
    public int CompareTo(IntervalKey other)
    {
        int result = Address.CompareTo(other.Address);
        return result != 0 ? result : other.IsEnd.CompareTo(IsEnd);
    }
}

/// <summary>Makes ranges of the keys in a dump, whose order depends on the kernel.</summary>
internal static class IntervalKeys
{
    public static ImmutableArray<AddressRange> Pair(List<IntervalKey> keys)
    {
        if (!IsSorted(keys))
            keys.Sort();
        var ranges = ImmutableArray.CreateBuilder<AddressRange>(keys.Count / 2);
        Ip start = default;
        foreach (IntervalKey key in keys)
        {
            // nft adds an end without a start at address zero of each set.
            if (!start.IsNone)
                ranges.Add(new(start, Previous(key.Address)));
            start = key.IsEnd ? default : key.Address;
        }
        if (!start.IsNone)
            ranges.Add(new(start, new Prefix(start, 0).Last));
        return ranges.ToImmutable();
    }

    // Linux 6.18 dumps backwards, others forwards: sorting a large set would take longer than the dump.
    private static bool IsSorted(List<IntervalKey> keys)
    {
        if (keys.Count > 1 && keys[0].CompareTo(keys[^1]) > 0)
            keys.Reverse();
        for (int i = 1; i < keys.Count; i++)
        {
            if (keys[i - 1].CompareTo(keys[i]) > 0)
                return false;
        }
        return true;
    }

    private static Ip Previous(Ip address) =>
        address.IsIPv4 ? Ip.V4((uint)address.Low - 1) : Ip.V6(address.Value - 1);
}
