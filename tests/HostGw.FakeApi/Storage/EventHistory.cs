using System.Collections.Immutable;

namespace HostGw.FakeApi.Storage;

/// <summary>The last writes of a table. What was pushed out is compacted: asking for it is 410. Not thread-safe.</summary>
internal sealed class EventHistory(int capacity, long revision, ImmutableSortedSet<StoredObject> objects)
{
    private readonly StoreEvent[] _ring = new StoreEvent[capacity];
    private int _first;
    private int _count;
    private ImmutableSortedSet<StoredObject> _atCompaction = objects;

    /// <summary>The oldest revision that can still be read or watched from.</summary>
    public long CompactedRevision { get; private set; } = revision;

    public void Append(StoreEvent change)
    {
        if (_count == capacity)
            DropOldest();
        _ring[(_first + _count++) % capacity] = change;
    }

    public void Compact(long revision)
    {
        while (_count > 0)
            DropOldest();
        CompactedRevision = revision;
    }

    public IEnumerable<StoreEvent> After(long revision)
    {
        for (int i = CountUpTo(revision); i < _count; i++)
            yield return this[i];
    }

    /// <summary>The table as it stood at a revision that is not compacted.</summary>
    public ImmutableSortedSet<StoredObject> At(long revision)
    {
        int index = CountUpTo(revision);
        return index == 0 ? _atCompaction : this[index - 1].After;
    }

    private StoreEvent this[int index] => _ring[(_first + index) % capacity];

    private int CountUpTo(long revision)
    {
        int low = 0, high = _count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (this[middle].Revision <= revision)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    private void DropOldest()
    {
        StoreEvent oldest = _ring[_first];
        (_atCompaction, CompactedRevision) = (oldest.After, oldest.Revision);
        _ring[_first] = null!;
        _first = (_first + 1) % capacity;
        _count--;
    }
}
