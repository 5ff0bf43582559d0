using System.Collections.Immutable;
using System.Numerics;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Census;

/// <summary>An element of a set or map: a key, or from one to another.</summary>
internal readonly record struct NftElement(byte[] First, byte[] Last, NftVerdict? Verdict);

/// <summary>The elements of a foreign set or map.</summary>
/// <param name="fields">The lengths of a key's fields in bytes; one unless fields are concatenated.</param>
internal sealed class NftElementSet(ImmutableArray<int> fields, NftElement[] elements, NftVerdict? catchAll, bool hasCatchAll)
{
    private const int WordLength = 4;

    // Keys of one field, in order: a table of ten thousand Services is searched, not scanned.
    private readonly NumberRange[] _ranges = fields.Length == 1 && fields[0] <= 16
        ? [.. elements.Select(e => new NumberRange(KnownBits.NumberOf(e.First), KnownBits.NumberOf(e.Last)))]
        : [];

    public IReadOnlyList<NftElement> Elements => elements;

    public ImmutableArray<int> Fields => fields;

    public Match Contains(KnownBits registers, int offset)
    {
        if (hasCatchAll)
            return Match.All;
        double share = 0;
        bool doubtful = false;
        foreach ((double of, bool doubt, _) in Overlaps(registers, offset))
            (share, doubtful) = (share + of, doubtful || doubt);
        Match match = Matches.OfShare(share);
        return share > 0 && doubtful ? Match.Some : match;
    }

    /// <summary>What a verdict map decides: each verdict with the packets that it concerns.</summary>
    public List<(Match Share, NftVerdict Verdict)> Find(KnownBits registers, int offset)
    {
        Dictionary<NftVerdict, (double Share, bool Doubtful)> shares = [];
        double total = 0;
        foreach ((double share, bool doubt, NftElement element) in Overlaps(registers, offset))
        {
            NftVerdict verdict = element.Verdict ?? new(NftVerdict.Continue, "");
            (double before, bool doubted) = shares.GetValueOrDefault(verdict);
            shares[verdict] = (before + share, doubted || doubt);
            total += share;
        }
        List<(Match Share, NftVerdict)> found =
        [
            .. shares.Select(s => (Share: s.Value.Doubtful ? Match.Some : Matches.OfShare(s.Value.Share), s.Key))
                .Where(f => f.Share != Match.None),
        ];
        if (hasCatchAll && catchAll is { } rest && total < 1)
            found.Add((found.Count == 0 ? Match.All : Match.Some, rest));
        return found;
    }

    private IEnumerable<(double Share, bool Doubtful, NftElement Element)> Overlaps(KnownBits registers, int offset) =>
        _ranges.Length == elements.Length ? OverlapsOfOneField(registers, offset) : OverlapsOfFields(registers, offset);

    private IEnumerable<(double Share, bool Doubtful, NftElement Element)> OverlapsOfOneField(KnownBits registers, int offset)
    {
        if (!registers.TryRange(offset, fields[0], out NumberRange range, out bool doubtful))
            yield break;
        int i = Array.BinarySearch(_ranges, range, ByLast.Instance);
        for (i = i < 0 ? ~i : i; i < _ranges.Length && _ranges[i].First <= range.Last; i++)
        {
            double share = range.ShareWithin(_ranges[i]);
            if (share > 0)
                yield return (share, doubtful && share < 1, elements[i]);
        }
    }

    private IEnumerable<(double Share, bool Doubtful, NftElement Element)> OverlapsOfFields(KnownBits registers, int offset)
    {
        if (IsHopeless(registers, offset))
            yield break;
        foreach (NftElement element in elements)
        {
            (double share, bool doubtful, int at) = (1, false, 0);
            foreach (int length in fields)
            {
                if (at + length > element.First.Length || at + length > element.Last.Length ||
                    !registers.TryRange(offset + at, length, out NumberRange range, out bool doubt))
                    break;
                NumberRange field = new(
                    KnownBits.NumberOf(element.First.AsSpan(at, length)), KnownBits.NumberOf(element.Last.AsSpan(at, length)));
                double part = range.ShareWithin(field);
                share *= part;
                doubtful |= doubt && part < 1;
                at += (length + WordLength - 1) & ~(WordLength - 1);
            }
            if (share > 0)
                yield return (share, doubtful, element);
        }
    }

    // Keys with so many open bits are not in a set of single keys: a port of any number is no Service's.
    private bool IsHopeless(KnownBits registers, int offset)
    {
        (int open, int at) = (0, 0);
        foreach (int length in fields)
        {
            if (!registers.TryRange(offset + at, length, out NumberRange range, out bool doubtful) || doubtful)
                return false;
            open += (int)UInt128.PopCount(range.Last - range.First);
            at += (length + WordLength - 1) & ~(WordLength - 1);
        }
        return open > 4 + BitOperations.Log2((uint)elements.Length + 1) && elements.All(e => e.First == e.Last);
    }

    private sealed class ByLast : IComparer<NumberRange>
    {
        public static readonly ByLast Instance = new();

        // Finds the first range that does not end before the searched one begins.
        public int Compare(NumberRange x, NumberRange y) => x.Last < y.First ? -1 : 1;
    }
}

/// <summary>Collects the elements of a dump. Pure.</summary>
internal sealed class NftElementReader(uint flags, ImmutableArray<int> fields)
{
    private const uint CatchAllFlag = 2;
    private const uint FirstConcatenation = 64; // nft packs the types of fields, each below 64, into one number
    private const int MaxFields = 16, MaxFieldLength = 16, WordLength = 4;
    private const ushort NFTA_SET_DESC = 9, NFTA_SET_DESC_CONCAT = 2, NFTA_SET_FIELD_LEN = 1;
    private const ushort NFTA_SET_ELEM_DATA = 2, NFTA_SET_ELEM_KEY_END = 10;

    private readonly List<(byte[] Key, byte[]? End, bool IsEnd, NftVerdict? Verdict)> _keys = [];
    private NftVerdict? _catchAll;
    private bool _hasCatchAll;

    /// <param name="set">A message of a set dump.</param>
    public static NftElementReader Of(ReadOnlySpan<byte> set)
    {
        NftSet parsed = NftParser.Set(set);
        ReadOnlySpan<byte> description = NetlinkAttributes.Find(NfGenMsg.AttributesOf(set), NFTA_SET_DESC);
        var fields = ImmutableArray.CreateBuilder<int>();
        var list = new NetlinkAttributes(NetlinkAttributes.Find(description, NFTA_SET_DESC_CONCAT));
        while (list.Next() && fields.Count < MaxFields)
        {
            uint fieldLength = NetlinkAttributes.ReadBigEndian(NetlinkAttributes.Find(list.Value, NFTA_SET_FIELD_LEN));
            fields.Add((int)Math.Min(fieldLength, MaxFieldLength));
        }
        int length = (int)Math.Min(parsed.KeyLength, MaxFields * WordLength);
        // The kernel knows the fields of intervals only. Words of a key are compared one by one, which comes to the same.
        if (fields.Count == 0 && parsed.KeyType >= FirstConcatenation)
            fields.AddRange(Enumerable.Repeat(WordLength, length / WordLength));
        return new(parsed.Flags, fields.Count > 0 ? fields.ToImmutable() : [length]);
    }

    /// <summary>Starts again.</summary>
    public void Clear()
    {
        _keys.Clear();
        (_catchAll, _hasCatchAll) = (null, false);
    }

    public void Read(ReadOnlySpan<byte> payload)
    {
        var attributes = new NetlinkAttributes(NfGenMsg.AttributesOf(payload));
        while (attributes.Next())
        {
            if (attributes.Type != NFTA_SET_ELEM_LIST_ELEMENTS)
                continue;
            var list = new NetlinkAttributes(attributes.Value);
            while (list.Next())
                Add(list.Value);
        }
    }

    public NftElementSet Finish()
    {
        bool pairs = (flags & NFT_SET_INTERVAL) != 0 && fields.Length == 1;
        NftElement[] elements = pairs ? Paired() : [.. _keys.Select(k => new NftElement(k.Key, k.End ?? k.Key, k.Verdict))];
        if (fields.Length == 1 && !pairs)
            Array.Sort(elements, static (a, b) => a.First.AsSpan().SequenceCompareTo(b.First));
        return new(fields, elements, _catchAll, _hasCatchAll);
    }

    private void Add(ReadOnlySpan<byte> element)
    {
        uint elementFlags = NetlinkAttributes.ReadBigEndian(NetlinkAttributes.Find(element, NFTA_SET_ELEM_FLAGS));
        NftVerdict? verdict = NftExpressionParser.VerdictOf(NetlinkAttributes.Find(element, NFTA_SET_ELEM_DATA));
        if ((elementFlags & CatchAllFlag) != 0)
        {
            (_catchAll, _hasCatchAll) = (verdict, true);
            return;
        }
        byte[] end = NftExpressionParser.Value(element, NFTA_SET_ELEM_KEY_END);
        _keys.Add((
            NftExpressionParser.Value(element, NFTA_SET_ELEM_KEY), end.Length > 0 ? end : null,
            (elementFlags & NFT_SET_ELEM_INTERVAL_END) != 0, verdict));
    }

    // The kernel stores an interval as its start and the key after its end.
    private NftElement[] Paired()
    {
        _keys.Sort(static (a, b) => a.Key.AsSpan().SequenceCompareTo(b.Key) is var order and not 0 ? order : b.IsEnd.CompareTo(a.IsEnd));
        List<NftElement> elements = [];
        for (int i = 0; i < _keys.Count; i++)
        {
            (byte[] key, byte[]? end, bool isEnd, NftVerdict? verdict) = _keys[i];
            if (isEnd)
                continue;
            byte[] last = end ?? (i + 1 < _keys.Count ? Before(_keys[i + 1].Key) : [.. Enumerable.Repeat((byte)0xFF, key.Length)]);
            elements.Add(new(key, last, verdict));
        }
        return [.. elements];
    }

    private static byte[] Before(byte[] key)
    {
        byte[] before = [.. key];
        for (int i = before.Length - 1; i >= 0 && before[i]-- == 0; i--)
        {
            // Borrow from the next byte.
        }
        return before;
    }
}
