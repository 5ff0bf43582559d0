using System.Collections.Immutable;

namespace HostGw.FakeApi.Storage;

internal enum EventType
{
    Added,
    Modified,
    Deleted,
}

/// <summary>One write: what changed, what stood before, and the whole table after it (shared, so keeping it costs nothing).</summary>
internal sealed record StoreEvent(
    EventType Type, StoredObject Object, StoredObject? Previous, long Revision, ImmutableSortedSet<StoredObject> After);
