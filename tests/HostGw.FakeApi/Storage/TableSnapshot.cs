using System.Collections.Immutable;

namespace HostGw.FakeApi.Storage;

/// <summary>All objects of a kind, in key order, as they stood at one revision.</summary>
internal sealed record TableSnapshot(long Revision, ImmutableSortedSet<StoredObject> Objects)
{
    public StoredObject? Find(string key) => Objects.TryGetValue(StoredObject.Probe(key), out StoredObject? found) ? found : null;

    /// <summary>Where the object with this key stands, or would stand.</summary>
    public int IndexOf(string key)
    {
        int index = Objects.IndexOf(StoredObject.Probe(key));
        return index < 0 ? ~index : index;
    }
}
