using System.Text.Json;

namespace HostGw.Nodes;

/// <summary>Puts the values a decoder meets where they belong. A value of the wrong type is as good as absent, unless silence would mislead.</summary>
internal sealed class NodeJsonValues(NodeDraft draft, NodeEnvelope envelope)
{
    private readonly JsonText _text = new();
    private readonly TextBuffer _label = new(), _address = new();
    private readonly NodeJsonEnvelope _envelope = new(envelope);
    private NodeAddressType _addressType;

    public NodeEnvelope Envelope => envelope;

    /// <summary>An object or array that is entered: of a property that comes twice the last counts, as in the API server.</summary>
    public void Begin(JsonPlace place)
    {
        _envelope.Begin(place);
        if (place is JsonPlace.Event or JsonPlace.Node)
            draft.Clear();
        else if (place == JsonPlace.PodCidrs)
            draft.PodCidrs.Restart();
        else if (place == JsonPlace.Addresses)
            draft.ClearAddresses();
        else if (place == JsonPlace.Address)
        {
            _addressType = NodeAddressType.Other;
            _address.Clear();
        }
    }

    public void EndAddress() => draft.AddAddress(_addressType, _address.Span);

    public JsonField Property(ref readonly Utf8JsonReader reader, JsonPlace place)
    {
        if (place is not (JsonPlace.Labels or JsonPlace.Annotations))
            return NodeJsonGrammar.Find(_text.Unescaped(in reader));
        if (!_text.TryRead(in reader, out ReadOnlySpan<char> key))
            return JsonField.Unknown;
        if (place == JsonPlace.Annotations)
            return Annotation(key);
        _label.Set(key);
        return JsonField.Labels;
    }

    /// <summary>An object or array where it does not belong.</summary>
    public void Unexpected(JsonPlace place, JsonField field, bool isArray)
    {
        if (place == JsonPlace.PodCidrs || (place == JsonPlace.Spec && field is JsonField.PodCidr or JsonField.PodCidrs))
            draft.PodCidrs.AddUnreadable(isArray ? "[…]" : "{…}");
        else if (place == JsonPlace.Annotations && field == JsonField.NextHop)
            draft.SetNextHop("");
        else if (place is JsonPlace.List or JsonPlace.ListMetadata)
            NodeJsonEnvelope.Unexpected(place, field);
    }

    public void Scalar(ref readonly Utf8JsonReader reader, JsonPlace place, JsonField field)
    {
        bool isText = _text.TryRead(in reader, out ReadOnlySpan<char> text);
        if (place is JsonPlace.List or JsonPlace.ListMetadata)
            _envelope.ListField(in reader, place, field);
        else if (place == JsonPlace.Node)
            _envelope.StatusField(in reader, field, text);
        else if (place is JsonPlace.Spec or JsonPlace.PodCidrs)
            PodCidr(in reader, place, field, isText ? text : _text.Excerpt(in reader));
        else if (isText)
            Text(place, field, text);
        else if (field == JsonField.NextHop && reader.TokenType != JsonTokenType.Null)
            draft.SetNextHop("");
    }

    private static JsonField Annotation(ReadOnlySpan<char> key) => key switch
    {
        NodeDraft.NextHopAnnotation => JsonField.NextHop,
        NodeDraft.SkipAnnotation => JsonField.Skip,
        NodeEnvelope.InitialEventsEndAnnotation => JsonField.InitialEventsEnd,
        _ => JsonField.Unknown,
    };

    private void Text(JsonPlace place, JsonField field, ReadOnlySpan<char> text)
    {
        switch (place, field)
        {
            case (JsonPlace.Event, JsonField.Type):
                envelope.SetType(text);
                break;
            case (JsonPlace.Metadata, JsonField.Name):
                draft.Name.Set(text);
                break;
            case (JsonPlace.Metadata, JsonField.Uid):
                draft.Uid.Set(text);
                break;
            case (JsonPlace.Metadata, JsonField.ResourceVersion):
                draft.ResourceVersion.Set(text);
                break;
            case (JsonPlace.Metadata, JsonField.CreationTimestamp):
                draft.CreatedAt = Rfc3339.ToUnixSeconds(text);
                break;
            case (JsonPlace.Labels, JsonField.Labels):
                draft.SetLabel(_label.Span, text);
                break;
            case (JsonPlace.Annotations, JsonField.NextHop):
                draft.SetNextHop(text);
                break;
            case (JsonPlace.Annotations, JsonField.Skip):
                draft.SetSkip(text);
                break;
            case (JsonPlace.Annotations, JsonField.InitialEventsEnd):
                envelope.EndsInitialEvents = text is "true";
                break;
            case (JsonPlace.NodeInfo, JsonField.OperatingSystem):
                draft.SetOperatingSystem(text);
                break;
            case (JsonPlace.Address, JsonField.Address):
                _address.Set(text);
                break;
            case (JsonPlace.Address, JsonField.Type):
                _addressType = NodeAddressTypes.Parse(text);
                break;
        }
    }

    private void PodCidr(ref readonly Utf8JsonReader reader, JsonPlace place, JsonField field, ReadOnlySpan<char> text)
    {
        if (place == JsonPlace.PodCidrs)
            draft.PodCidrs.Add(text);
        else if (reader.TokenType == JsonTokenType.Null)
            return;
        else if (field == JsonField.PodCidr)
            draft.PodCidrs.SetSingle(text);
        else if (field == JsonField.PodCidrs)
            draft.PodCidrs.AddUnreadable(text);
    }
}
