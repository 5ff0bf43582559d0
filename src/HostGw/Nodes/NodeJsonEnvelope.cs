using System.Text.Json;
using HostGw.Kubernetes;

namespace HostGw.Nodes;

/// <summary>What a decoder meets around the nodes: a list's metadata, a watch event's type, a Status in a node's place.</summary>
internal sealed class NodeJsonEnvelope
{
    private string _kind = "";
    private bool _hasItems;
    private int _code;
    private string _reason = "", _message = "";

    public WatchEventType EventType { get; private set; }

    public string ListVersion { get; private set; } = "";

    public string Continue { get; private set; } = "";

    public ApiStatus Status => new(_code, _reason, _message, null);

    /// <exception cref="NodeStreamException">The document was another than a list of nodes.</exception>
    public void RequireList()
    {
        if (!_hasItems || _kind is not ("" or "NodeList"))
            throw new NodeStreamException($"The API server sent a {(_kind.Length > 0 ? ApiStatus.OneLine(_kind) : "document")} in place of a NodeList");
        if (ListVersion.Length == 0)
            throw new NodeStreamException("The API server sent a list without a resource version");
    }

    public void Begin(JsonPlace place)
    {
        if (place == JsonPlace.Items)
            _hasItems = true;
        if (place != JsonPlace.Event)
            return;
        EventType = WatchEventType.Unknown;
        _code = 0;
        _reason = _message = "";
    }

    public void Type(ReadOnlySpan<char> text) => EventType = text switch
    {
        "ADDED" => WatchEventType.Added,
        "MODIFIED" => WatchEventType.Modified,
        "DELETED" => WatchEventType.Deleted,
        "BOOKMARK" => WatchEventType.Bookmark,
        "ERROR" => WatchEventType.Error,
        _ => WatchEventType.Unknown,
    };

    /// <summary>A value at the root of an object: reason, message and code stand there only in a Status.</summary>
    public void StatusField(ref readonly Utf8JsonReader reader, JsonField field, ReadOnlySpan<char> text)
    {
        if (field == JsonField.Code && reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out int code))
            _code = code;
        else if (field == JsonField.Reason)
            _reason = ApiStatus.OneLine(text.ToString());
        else if (field == JsonField.Message)
            _message = ApiStatus.OneLine(text.ToString());
    }

    // A continue token that is overlooked would make a part of the list look like the whole: no leniency here.
    public void ListField(ref readonly Utf8JsonReader reader, JsonPlace place, JsonField field)
    {
        switch (place, field)
        {
            case (JsonPlace.List, JsonField.Kind):
                _kind = Text(in reader, field);
                break;
            case (JsonPlace.List, JsonField.Items):
                _hasItems = reader.TokenType == JsonTokenType.Null ? true : throw Refused(field);
                break;
            case (JsonPlace.ListMetadata, JsonField.Continue):
                Continue = Text(in reader, field);
                break;
            case (JsonPlace.ListMetadata, JsonField.ResourceVersion):
                ListVersion = Text(in reader, field);
                break;
        }
    }

    /// <summary>An object or array where it does not belong.</summary>
    public static void Unexpected(JsonPlace place, JsonField field)
    {
        if (place == JsonPlace.List ? field is JsonField.Items or JsonField.Metadata : field is JsonField.Continue or JsonField.ResourceVersion)
            throw Refused(field);
    }

    private static string Text(ref readonly Utf8JsonReader reader, JsonField field)
    {
        try
        {
            return reader.TokenType is JsonTokenType.String or JsonTokenType.Null ? reader.GetString() ?? "" : throw Refused(field);
        }
        catch (InvalidOperationException e)
        {
            throw new NodeStreamException($"The list's {field} is no text", e);
        }
    }

    private static NodeStreamException Refused(JsonField field) => new($"The list's {field} is of the wrong type");
}
