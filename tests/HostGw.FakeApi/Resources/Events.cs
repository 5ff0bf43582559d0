using System.Text;
using System.Text.Json.Nodes;
using HostGw.FakeApi.Http;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi.Resources;

/// <summary>What the real server checks of an Event; of one that comes as events.k8s.io/v1, more.</summary>
/// <remarks>kubernetes pkg/apis/core/validation/events.go, ValidateEventCreate and ValidateEventUpdate.</remarks>
internal sealed class EventRules(bool strict) : WriteRules
{
    private const int MaxText = 128;
    private const int MaxNote = 1024;

    private static readonly string[] MustBeUnset = ["firstTimestamp", "lastTimestamp", "count", "source.component", "source.host"];

    private static readonly string[] Immutable =
    [
        "involvedObject", "reason", "message", "source", "firstTimestamp", "lastTimestamp", "count", "type", "eventTime", "action", "related",
        "reportingComponent", "reportingInstance",
    ];

    public override void Prepare(JsonObject incoming, JsonObject? old, bool statusEndpoint) =>
        MicroTime.Check("Event", incoming, "eventTime", "series.lastObservedTime");

    public override IEnumerable<FieldError> Validate(JsonObject incoming, JsonObject? old)
    {
        foreach (FieldError error in JsonFields.At(incoming, "eventTime").Length == 0 ? OfOldForm(incoming) : OfNewForm(incoming))
            yield return error;
        if (!strict)
            yield break;
        foreach (FieldError error in old is null ? OfCreation(incoming) : OfChange(incoming, old))
            yield return error;
    }

    private static IEnumerable<FieldError> OfOldForm(JsonObject incoming)
    {
        string concerned = JsonFields.At(incoming, "involvedObject.namespace"), own = JsonFields.At(incoming, "metadata.namespace");
        if (concerned.Length == 0 ? own != "default" : own != concerned)
            yield return Mismatch(concerned);
    }

    private static IEnumerable<FieldError> OfNewForm(JsonObject incoming)
    {
        string concerned = JsonFields.At(incoming, "involvedObject.namespace");
        if (concerned.Length == 0 && JsonFields.At(incoming, "metadata.namespace") is not ("default" or "kube-system"))
            yield return Mismatch(concerned);
        if (JsonFields.At(incoming, "reportingComponent").Length == 0)
            yield return Required("reportingController");
        foreach (string field in (string[])["reportingInstance", "action", "reason"])
        {
            string text = JsonFields.At(incoming, field);
            if (text.Length == 0)
                yield return Required(field);
            if (Encoding.UTF8.GetByteCount(text) > MaxText)
                yield return TooLong(field, MaxText);
        }
        if (Encoding.UTF8.GetByteCount(JsonFields.At(incoming, "message")) > MaxNote)
            yield return TooLong("message", MaxNote);
    }

    private static IEnumerable<FieldError> OfCreation(JsonObject incoming)
    {
        if (JsonFields.At(incoming, "eventTime").Length == 0)
            yield return Required("eventTime");
        string type = JsonFields.At(incoming, "type");
        if (type is not ("Normal" or "Warning"))
            yield return new("type", "FieldValueInvalid", $"Invalid value: \"\": has invalid value: {type}");
        foreach (string field in MustBeUnset.Where(f => JsonFields.At(incoming, f).Length > 0))
            yield return new(field.Split('.')[0], "FieldValueInvalid", "Invalid value: \"\": needs to be unset");
    }

    private static IEnumerable<FieldError> OfChange(JsonObject incoming, JsonObject old) =>
        from field in Immutable
        where !JsonNode.DeepEquals(incoming[field], old[field])
        select new FieldError(field, "FieldValueInvalid", "Invalid value: field is immutable");

    private static FieldError Mismatch(string concerned) =>
        new("involvedObject.namespace", "FieldValueInvalid", $"Invalid value: \"{concerned}\": does not match event.namespace");

    private static FieldError Required(string field) => new(field, "FieldValueRequired", "Required value");

    private static FieldError TooLong(string field, int limit) => new(field, "FieldValueInvalid", $"Invalid value: \"\": can have at most {limit} characters");
}

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
