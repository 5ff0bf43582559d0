namespace HostGw.Net;

/// <summary>
/// A sorted set of prefixes, each linked to its parent: the smallest other prefix that contains it. Two prefixes either nest or
/// are disjoint, so a query is a binary search and a walk over at most as many parents as an address has bits.
/// </summary>
internal sealed class PrefixForest
{
    private readonly Prefix[] _prefixes;
    private readonly int[] _parents;

    public PrefixForest(IEnumerable<Prefix> alignedPrefixes)
        : this([.. alignedPrefixes], out _)
    {
    }

    /// <param name="alignedPrefixes">The array is sorted in place and kept.</param>
    /// <param name="indexes">Of each of them, in the order in which they were given, its index in the forest.</param>
    public PrefixForest(Prefix[] alignedPrefixes, out int[] indexes)
    {
        int[] given = new int[alignedPrefixes.Length];
        for (int i = 0; i < given.Length; i++)
            given[i] = i;
        Array.Sort(alignedPrefixes, given);
        indexes = new int[given.Length];
        int distinct = 0;
        for (int i = 0; i < given.Length; i++)
        {
            if (distinct == 0 || alignedPrefixes[distinct - 1] != alignedPrefixes[i])
                alignedPrefixes[distinct++] = alignedPrefixes[i];
            indexes[given[i]] = distinct - 1;
        }
        _prefixes = distinct < alignedPrefixes.Length ? alignedPrefixes[..distinct] : alignedPrefixes;
        _parents = LinkToParents(_prefixes);
    }

    public int Count => _prefixes.Length;

    public Prefix this[int index] => _prefixes[index];

    /// <summary>The index of the smallest prefix that contains prefix <paramref name="index"/>, or -1.</summary>
    public int Parent(int index) => _parents[index];

    /// <summary>The index of <paramref name="prefix"/>, or the complement of where it would be, as Array.BinarySearch.</summary>
    public int IndexOf(Prefix prefix)
    {
        // Nodes' addresses usually lie before or after all podCIDRs: those are found out at once.
        if (Count == 0 || prefix.CompareTo(_prefixes[0]) < 0)
            return ~0;
        return prefix.CompareTo(_prefixes[^1]) > 0 ? ~Count : _prefixes.AsSpan().BinarySearch(prefix);
    }

    /// <summary>The index of the smallest prefix that contains <paramref name="ip"/>, or -1; its ancestors contain it as well.</summary>
    public int Covering(Ip ip) => Covering(Prefix.Host(ip));

    /// <summary>The index of a prefix that shares an address with <paramref name="prefix"/>, or -1.</summary>
    public int Overlapping(Prefix prefix)
    {
        int covering = Covering(prefix);
        if (covering >= 0)
            return covering;

        int next = ~IndexOf(prefix);
        return next < Count && prefix.Contains(_prefixes[next]) ? next : -1;
    }

    /// <summary>The prefixes that no other contains.</summary>
    public IEnumerable<Prefix> Roots()
    {
        for (int i = 0; i < Count; i++)
        {
            if (_parents[i] < 0)
                yield return _prefixes[i];
        }
    }

    /// <summary>The index of the smallest prefix that contains <paramref name="inner"/>, or -1.</summary>
    public int Covering(Prefix inner)
    {
        int index = IndexOf(inner);
        if (index < 0)
            index = ~index - 1;
        while (index >= 0 && !_prefixes[index].Contains(inner))
            index = _parents[index];
        return index;
    }

    private static int[] LinkToParents(Prefix[] sorted)
    {
        int[] parents = new int[sorted.Length];
        for (int i = 0; i < sorted.Length; i++)
        {
            int around = i - 1;
            while (around >= 0 && !sorted[around].Contains(sorted[i]))
                around = parents[around];
            parents[i] = around;
        }
        return parents;
    }
}
