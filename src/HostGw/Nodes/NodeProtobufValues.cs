namespace HostGw.Nodes;

/// <summary>Puts the values a decoder meets where they belong.</summary>
internal sealed class NodeProtobufValues(NodeDraft draft)
{
    private readonly TextBuffer _key = new(), _address = new();
    private NodeAddressType _addressType;
    private bool _isNetworkUnavailable, _isFalse;

    public NodeEnvelope Envelope { get; } = new();

    /// <summary>The object of the event at hand is a Status.</summary>
    public bool IsStatus { get; private set; }

    /// <summary>A label or annotation whose value nobody reads.</summary>
    public bool IsValueSkipped(ProtobufPlace place) =>
        place == ProtobufPlace.Annotation && _key.Span is not (NodeDraft.NextHopAnnotation or NodeDraft.SkipAnnotation or NodeEnvelope.InitialEventsEndAnnotation);

    public void Begin(ProtobufPlace place)
    {
        switch (place)
        {
            case ProtobufPlace.Event:
                Envelope.BeginEvent();
                IsStatus = false;
                draft.Clear();
                break;
            case ProtobufPlace.List:
                Envelope.HasItems = true;
                break;
            case ProtobufPlace.Node:
                draft.Clear();
                break;
            case ProtobufPlace.Label or ProtobufPlace.Annotation:
                _key.Clear();
                break;
            case ProtobufPlace.Condition:
                _isNetworkUnavailable = _isFalse = false;
                break;
            case ProtobufPlace.Address:
                _addressType = NodeAddressType.Other;
                _address.Clear();
                break;
        }
    }

    public void End(ProtobufPlace place)
    {
        if (place == ProtobufPlace.Address)
            draft.AddAddress(_addressType, _address.Span);
        else if (place == ProtobufPlace.Condition && _isNetworkUnavailable)
            draft.NetworkUnavailable = !_isFalse;
        else if (place == ProtobufPlace.Node)
            draft.Complete();
    }

    public void Number(ProtobufPlace place, int field, ulong value)
    {
        if ((place, field) is (ProtobufPlace.CreationTimestamp, 1))
            draft.CreatedAt = (long)value;
        else if ((place, field) is (ProtobufPlace.Status, 6))
            Envelope.Code = (int)value;
    }

    public void Text(ProtobufPlace place, int field, ReadOnlySpan<char> text)
    {
        switch (place, field)
        {
            case (ProtobufPlace.EnvelopeType, 2):
                Envelope.Kind = text.ToString();
                break;
            case (ProtobufPlace.ObjectType, 2):
                IsStatus = text is "Status";
                break;
            case (ProtobufPlace.ListMetadata, 2):
                Envelope.ListVersion = text.ToString();
                break;
            case (ProtobufPlace.ListMetadata, 3):
                Envelope.Continue = text.ToString();
                break;
            case (ProtobufPlace.Event, 1):
                Envelope.SetType(text);
                break;
            case (ProtobufPlace.Status, 3):
                Envelope.SetMessage(text);
                break;
            case (ProtobufPlace.Status, 4):
                Envelope.SetReason(text);
                break;
            default:
                OfNode(place, field, text);
                break;
        }
    }

    /// <summary>Text that is longer than anything that we read; only its beginning is here.</summary>
    public void LongText(ProtobufPlace place, int field, ReadOnlySpan<char> start)
    {
        if (place is ProtobufPlace.Status or ProtobufPlace.Spec)
            Text(place, field, start);
        else if (place == ProtobufPlace.Annotation && field == 2 && _key.Is(NodeDraft.NextHopAnnotation))
            draft.SetNextHop("");
    }

    private void OfNode(ProtobufPlace place, int field, ReadOnlySpan<char> text)
    {
        switch (place, field)
        {
            case (ProtobufPlace.Metadata, 1):
                draft.Name.Set(text);
                break;
            case (ProtobufPlace.Metadata, 5):
                draft.Uid.Set(text);
                break;
            case (ProtobufPlace.Metadata, 6):
                draft.ResourceVersion.Set(text);
                break;
            case (ProtobufPlace.Label or ProtobufPlace.Annotation, 1):
                _key.Set(text);
                break;
            case (ProtobufPlace.Label, 2):
                draft.SetLabel(_key.Span, text);
                break;
            case (ProtobufPlace.Annotation, 2) when _key.Is(NodeDraft.NextHopAnnotation):
                draft.SetNextHop(text);
                break;
            case (ProtobufPlace.Annotation, 2) when _key.Is(NodeDraft.SkipAnnotation):
                draft.SetSkip(text);
                break;
            case (ProtobufPlace.Annotation, 2):
                Envelope.EndsInitialEvents = text is "true";
                break;
            case (ProtobufPlace.Spec, 1):
                draft.PodCidrs.SetSingle(text);
                break;
            case (ProtobufPlace.Spec, 7):
                draft.PodCidrs.Add(text);
                break;
            case (ProtobufPlace.Condition, 1):
                _isNetworkUnavailable = text is "NetworkUnavailable";
                break;
            case (ProtobufPlace.Condition, 2):
                _isFalse = text is "False";
                break;
            case (ProtobufPlace.Address, 1):
                _addressType = NodeAddressTypes.Parse(text);
                break;
            case (ProtobufPlace.Address, 2):
                _address.Set(text);
                break;
            case (ProtobufPlace.NodeInfo, 9):
                draft.SetOperatingSystem(text);
                break;
        }
    }
}
