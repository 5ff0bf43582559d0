using System.Text.Json.Nodes;
using HostGw.FakeApi.Resources;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi.Http;

/// <summary>Events are stored in their core form; events.k8s.io says the same in other words.</summary>
internal static class EventForm
{
    // In the order of events.k8s.io name, core name.
    private static readonly (string New, string Core)[] Renamed =
    [
        ("regarding", "involvedObject"), ("note", "message"), ("reportingController", "reportingComponent"),
        ("deprecatedSource", "source"), ("deprecatedFirstTimestamp", "firstTimestamp"),
        ("deprecatedLastTimestamp", "lastTimestamp"), ("deprecatedCount", "count"),
    ];

    public static StoredObject Of(ResourceKind asked, StoredObject stored)
    {
        if (asked != Kinds.NewEvent)
            return stored;
        JsonObject content = stored.ParseOrEmpty();
        foreach ((string renamed, string core) in Renamed)
            Rename(content, core, renamed);
        return StoredObject.From(asked, stored.Key, stored.Revision, content);
    }

    public static void ToCore(ResourceKind asked, JsonObject content)
    {
        if (asked != Kinds.NewEvent)
            return;
        foreach ((string renamed, string core) in Renamed)
            Rename(content, renamed, core);
    }

    private static void Rename(JsonObject content, string from, string to)
    {
        if (!content.TryGetPropertyValue(from, out JsonNode? value))
            return;
        content.Remove(from);
        content[to] = value;
    }
}
