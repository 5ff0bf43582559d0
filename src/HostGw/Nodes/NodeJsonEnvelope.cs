using System.Text.Json;

namespace HostGw.Nodes;

/// <summary>Reads what stands around the nodes from JSON.</summary>
internal sealed class NodeJsonEnvelope(NodeEnvelope envelope)
{
    public void Begin(JsonPlace place)
    {
        if (place == JsonPlace.Items)
            envelope.HasItems = true;
        else if (place == JsonPlace.Event)
            envelope.BeginEvent();
    }

    /// <summary>A value at the root of an object: reason, message and code stand there only in a Status.</summary>
    public void StatusField(ref readonly Utf8JsonReader reader, JsonField field, ReadOnlySpan<char> text)
    {
        if (field == JsonField.Code && reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out int code))
            envelope.Code = code;
        else if (field == JsonField.Reason)
            envelope.SetReason(text);
        else if (field == JsonField.Message)
            envelope.SetMessage(text);
    }

    // A continue token that is overlooked would make a part of the list look like the whole: no leniency here.
    public void ListField(ref readonly Utf8JsonReader reader, JsonPlace place, JsonField field)
    {
        switch (place, field)
        {
            case (JsonPlace.List, JsonField.Kind):
                envelope.Kind = Text(in reader, field);
                break;
            case (JsonPlace.List, JsonField.Items):
                envelope.HasItems = reader.TokenType == JsonTokenType.Null ? true : throw Refused(field);
                break;
            case (JsonPlace.ListMetadata, JsonField.Continue):
                envelope.Continue = Text(in reader, field);
                break;
            case (JsonPlace.ListMetadata, JsonField.ResourceVersion):
                envelope.ListVersion = Text(in reader, field);
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
