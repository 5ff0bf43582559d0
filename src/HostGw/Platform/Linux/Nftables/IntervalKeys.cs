using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>One element as the kernel keeps it: an interval set is a row of starts and ends, each end exclusive.</summary>
internal readonly record struct IntervalKey(Ip Address, bool IsEnd) : IComparable<IntervalKey>
{
    // Where one interval ends and the next begins, the end comes first.
    public int CompareTo(IntervalKey other)
    {
        int result = Address.CompareTo(other.Address);
        return result != 0 ? result : other.IsEnd.CompareTo(IsEnd);
    }
}

/// <summary>Pairs the starts and ends of a dump, which comes in whatever order the kernel's tree has.</summary>
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
            // nft puts a lone end at address zero of each set.
            if (!start.IsNone)
                ranges.Add(new(start, Previous(key.Address)));
            start = key.IsEnd ? default : key.Address;
        }
        if (!start.IsNone)
            ranges.Add(new(start, new Prefix(start, 0).Last));
        return ranges.ToImmutable();
    }

    // Linux 6.18 dumps backwards, others forwards: sorting a long set would cost more than dumping it.
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
