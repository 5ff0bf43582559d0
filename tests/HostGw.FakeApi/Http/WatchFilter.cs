using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Selectors;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi.Http;

/// <summary>What a write looks like to a watch with selectors: an object that stops matching is DELETED, one that starts is ADDED.</summary>
internal sealed class WatchFilter(ResourceKind kind, Selection selection)
{
    public bool Matches(StoredObject candidate) => selection.Matches(candidate);

    public StoredObject Form(StoredObject stored) => EventForm.Of(kind, stored);

    /// <summary>Null when this watch does not hear of it.</summary>
    public (string Type, StoredObject Object)? See(StoreEvent change)
    {
        bool before = change.Previous is { } previous && Matches(previous);
        bool now = change.Type != EventType.Deleted && Matches(change.Object);
        return (before, now) switch
        {
            (false, true) => ("ADDED", Form(change.Object)),
            (true, true) => ("MODIFIED", Form(change.Object)),
            (true, false) when change.Type == EventType.Deleted => ("DELETED", Form(change.Object)),
            (true, false) => ("DELETED", Form(change.Previous!.WithRevision(kind, change.Revision))),
            _ => null,
        };
    }
}
