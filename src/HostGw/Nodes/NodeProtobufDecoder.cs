using System.Buffers.Binary;
using System.Text;
using HostGw.Kubernetes;

namespace HostGw.Nodes;

/// <summary>Reads nodes from the API's protobuf that arrives in pieces into one draft; tells the sink of each.</summary>
/// <remarks>https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding</remarks>
/// <param name="root">What the answer is: a List, or Events, each in a frame of its own.</param>
internal sealed class NodeProtobufDecoder(ProtobufPlace root, NodeDraft draft, Action<WatchEventType, NodeDraft> sink) : INodeDecoder
{
    private readonly NodeProtobufValues _values = new(draft);
    private readonly Stack<(ProtobufPlace Place, long End)> _places = new();
    private readonly char[] _chars = new char[JsonText.MaxBytes];
    private long _position, _skipTo;
    private bool _isMagicDue, _isListRead;

    public int Decode(ReadOnlySpan<byte> data, bool isFinal)
    {
        int start = 0;
        try
        {
            do
            {
                int skipped = (int)Math.Min(Math.Max(_skipTo - _position, 0), data.Length - start);
                Advance(ref start, skipped);
                while (_position >= _skipTo && _places.TryPeek(out var top) && top.End == _position)
                    Leave(_places.Pop().Place);
            }
            while (_position >= _skipTo && TryStep(data, ref start));
        }
        catch (InvalidDataException e)
        {
            throw new NodeStreamException($"The API server sent broken protobuf: {e.Message}", e);
        }
        // The envelope's end is the end of the stream.
        if (isFinal && !(_isListRead && _places.Count == 1 && start == data.Length && _position >= _skipTo))
            throw new NodeStreamException("The API server's list breaks off");
        return start;
    }

    public NodeListPage Page()
    {
        _values.Envelope.RequireList();
        return new(_values.Envelope.ListVersion, _values.Envelope.Continue);
    }

    // False: what comes next has not arrived whole.
    private bool TryStep(ReadOnlySpan<byte> data, ref int start)
    {
        ReadOnlySpan<byte> rest = data[start..];
        if (_places.Count == 0)
            return TryBegin(rest, ref start);
        return _isMagicDue ? TryReadMagic(rest, ref start) : TryField(rest, ref start);
    }

    // A frame holds an event as it is; only the object in the event has an envelope.
    private bool TryBegin(ReadOnlySpan<byte> rest, ref int start)
    {
        if (root == ProtobufPlace.List)
        {
            Enter(ProtobufPlace.Envelope, long.MaxValue);
            return true;
        }
        if (!BinaryPrimitives.TryReadUInt32BigEndian(rest, out uint length))
            return false;
        Advance(ref start, sizeof(uint));
        Enter(root, _position + length);
        return true;
    }

    private bool TryReadMagic(ReadOnlySpan<byte> rest, ref int start)
    {
        ReadOnlySpan<byte> magic = ProtobufReader.Magic;
        if (_places.Peek().End - _position < magic.Length || !magic.StartsWith(rest[..Math.Min(rest.Length, magic.Length)]))
            throw new InvalidDataException("an object without the magic number");
        if (rest.Length < magic.Length)
            return false;
        Advance(ref start, magic.Length);
        _isMagicDue = false;
        return true;
    }

    private bool TryField(ReadOnlySpan<byte> rest, ref int start)
    {
        var reader = new ProtobufReader(rest);
        if (!reader.TryReadField(out ProtobufField field))
            return false;

        (ProtobufPlace place, long end) = _places.Peek();
        long valueAt = _position + reader.Position;
        if (valueAt > end || (field.HasBytes && field.Value > (ulong)(end - valueAt)))
            throw new InvalidDataException("a field that is longer than its message");
        long valueEnd = valueAt + (field.HasBytes ? (long)field.Value : 0);
        if (!field.HasBytes)
            _values.Number(place, field.Number, field.Value);
        else if (NodeProtobufGrammar.Child(place, field.Number, _values.IsStatus) is var child and not ProtobufPlace.Outside)
            Enter(child, valueEnd);
        else if (IsRead(place, field.Number) && !TryText(place, field, reader.Rest))
            return false;
        else
            _skipTo = valueEnd;
        Advance(ref start, reader.Position);
        return true;
    }

    private bool IsRead(ProtobufPlace place, int field) =>
        NodeProtobufGrammar.IsText(place, field) && !(field == 2 && _values.IsValueSkipped(place));

    private bool TryText(ProtobufPlace place, ProtobufField field, ReadOnlySpan<byte> rest)
    {
        bool isLong = field.Value > JsonText.MaxBytes;
        if (isLong && NodeProtobufGrammar.IsWholeOnly(place))
            throw new InvalidDataException("a text that is too long");
        int length = isLong ? JsonText.MaxBytes : (int)field.Value;
        if (rest.Length < length)
            return false;

        ReadOnlySpan<char> text = _chars.AsSpan(0, Encoding.UTF8.GetChars(rest[..length], _chars));
        if (isLong)
            _values.LongText(place, field.Number, text);
        else
            _values.Text(place, field.Number, text);
        return true;
    }

    private void Enter(ProtobufPlace place, long end)
    {
        _values.Begin(place);
        _places.Push((place, end));
        _isMagicDue = NodeProtobufGrammar.HasMagic(place);
    }

    private void Leave(ProtobufPlace place)
    {
        if (_isMagicDue)
            throw new InvalidDataException("an object without the magic number");
        _values.End(place);
        _isListRead |= place == ProtobufPlace.List;
        if (place == ProtobufPlace.Node && root == ProtobufPlace.List)
            sink(WatchEventType.Added, draft);
        else if (place == ProtobufPlace.Event)
            _values.Envelope.Report(draft, sink);
    }

    private void Advance(ref int start, int count)
    {
        start += count;
        _position += count;
    }
}
