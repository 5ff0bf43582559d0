using System.Text.Json;
using HostGw.Kubernetes;

namespace HostGw.Nodes;

/// <summary>Reads nodes from JSON that arrives in pieces, in whatever order its properties come, into one draft; tells the sink of each.</summary>
/// <param name="root">What a document is: a List, or an Event (any number of them, one after the other).</param>
internal sealed class NodeJsonDecoder(JsonPlace root, NodeDraft draft, Action<WatchEventType, NodeDraft> sink) : INodeDecoder
{
    // The API server's own reader goes to 10,000.
    private const int MaxDepth = 16 * 1024;

    private readonly NodeJsonValues _values = new(draft, new());
    private readonly JsonPlace _parentOfNode = root == JsonPlace.List ? JsonPlace.Items : JsonPlace.Event;

    private JsonReaderState _state = new(new() { MaxDepth = MaxDepth, AllowMultipleValues = root == JsonPlace.Event });
    private JsonPlace _place = JsonPlace.Outside;
    private JsonField _field;
    private int _skipDepth = -1;

    public int Decode(ReadOnlySpan<byte> data, bool isFinal)
    {
        try
        {
            var reader = new Utf8JsonReader(data, isFinal, _state);
            while (reader.Read())
            {
                if (_skipDepth < 0)
                    Token(ref reader);
                else if (reader.CurrentDepth == _skipDepth)
                    _skipDepth = -1;
            }
            _state = reader.CurrentState;
            return (int)reader.BytesConsumed;
        }
        catch (JsonException e)
        {
            throw new NodeStreamException($"The API server sent broken JSON: {ApiStatus.OneLine(e.Message)}", e);
        }
    }

    public NodeListPage Page()
    {
        _values.Envelope.RequireList();
        return new(_values.Envelope.ListVersion, _values.Envelope.Continue);
    }

    private void Token(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.PropertyName:
                _field = _values.Property(ref reader, _place);
                break;
            case JsonTokenType.StartObject:
                Enter(ref reader, isArray: false);
                break;
            case JsonTokenType.StartArray:
                Enter(ref reader, isArray: true);
                break;
            case JsonTokenType.EndObject or JsonTokenType.EndArray:
                Leave();
                break;
            default:
                if (_place == JsonPlace.Outside)
                    throw new NodeStreamException("The API server sent something that is no object");
                _values.Scalar(ref reader, _place, _field);
                break;
        }
    }

    private void Enter(ref Utf8JsonReader reader, bool isArray)
    {
        if (_place == JsonPlace.Outside)
        {
            if (isArray)
                throw new NodeStreamException("The API server sent something that is no object");
            _place = root;
            _values.Begin(root);
            return;
        }

        JsonPlace child = NodeJsonGrammar.Child(_place, _field, isArray);
        if (child == JsonPlace.Outside)
        {
            _values.Unexpected(_place, _field, isArray);
            _skipDepth = reader.CurrentDepth;
            return;
        }
        _values.Begin(child);
        _place = child;
        _field = JsonField.Unknown;
    }

    private void Leave()
    {
        JsonPlace left = _place;
        _place = NodeJsonGrammar.Parent(left, _parentOfNode);

        if (left == JsonPlace.Address)
            _values.EndAddress();
        else if (left == JsonPlace.Node)
            draft.Complete();

        if (left == JsonPlace.Node && root == JsonPlace.List)
            sink(WatchEventType.Added, draft);
        else if (left == JsonPlace.Event)
            _values.Envelope.Report(draft, sink);
    }
}
