using System.Buffers.Binary;
using System.Text;
using HostGw.Kubernetes;

namespace HostGw.Nodes;

/// <summary>Reads nodes from the API's protobuf that arrives in pieces into one draft; tells the sink of each.</summary>
/// <remarks>https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding</remarks>
/// <param name="root">What the answer is: a List, or Events, each in a frame of its own.</param>
internal sealed class NodeProtobufDecoder(ProtobufPlace root, NodeDraft draft, Action<WatchEventType, NodeDraft> sink) : INodeDecoder
{
    private const int FrameHeader = sizeof(uint);
    private static readonly byte[] Magic = "k8s\0"u8.ToArray();

    private readonly NodeProtobufValues _values = new(draft);
    private readonly Stack<(ProtobufPlace Place, long End)> _places = new();
    private char[] _chars = new char[256];
    private long _position, _skipTo;
    private bool _isMagicDue = true, _isListRead;

    public int Decode(ReadOnlySpan<byte> data, bool isFinal)
    {
        int start = 0;
        while (true)
        {
            int skipped = (int)Math.Min(Math.Max(_skipTo - _position, 0), data.Length - start);
            Advance(ref start, skipped);
            if (_position < _skipTo)
                break;
            while (_places.TryPeek(out var top) && top.End == _position)
                Leave(_places.Pop().Place);
            if (!TryStep(data, ref start))
                break;
        }
        if (isFinal && !(_isListRead && start == data.Length && _position >= _skipTo))
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
        if (_places.Count == 0 && root == ProtobufPlace.Event)
            return TryBeginFrame(rest, ref start);
        if (_isMagicDue)
            return TryReadMagic(rest, ref start);
        return !rest.IsEmpty && TryField(rest, ref start);
    }

    private bool TryBeginFrame(ReadOnlySpan<byte> rest, ref int start)
    {
        if (rest.Length < FrameHeader)
            return false;
        uint length = BinaryPrimitives.ReadUInt32BigEndian(rest);
        Advance(ref start, FrameHeader);
        _places.Push((ProtobufPlace.Envelope, _position + length));
        _isMagicDue = true;
        return true;
    }

    private bool TryReadMagic(ReadOnlySpan<byte> rest, ref int start)
    {
        if (rest.Length < Magic.Length)
            return false;
        if (!rest.StartsWith(Magic))
            throw new NodeStreamException("The API server sent something else than it said: no Kubernetes protobuf");
        Advance(ref start, Magic.Length);
        _isMagicDue = false;
        if (_places.Count == 0)
            _places.Push((ProtobufPlace.Envelope, long.MaxValue)); // a list ends with the stream
        return true;
    }

    private bool TryField(ReadOnlySpan<byte> rest, ref int start)
    {
        var reader = new ProtobufReader(rest);
        if (!reader.TryReadField(out ProtobufField field))
            return false;

        (ProtobufPlace place, long end) = _places.Peek();
        long valueAt = _position + reader.Position;
        if (field.HasBytes && field.Value > (ulong)(end - valueAt))
            throw new NodeStreamException("The API server sent broken protobuf: a field that is longer than its message");
        if (!field.HasBytes)
            _values.Number(place, field.Number, field.Value);
        else if (NodeProtobufGrammar.Child(place, field.Number, root, _values.IsStatus) is var child and not ProtobufPlace.Outside)
            Enter(child, valueAt + (long)field.Value);
        else if (!IsRead(place, field))
            _skipTo = valueAt + (long)field.Value;
        else if (!TryText(place, field, reader.Rest))
            return false;
        else
            Advance(ref start, (int)field.Value);
        Advance(ref start, reader.Position);
        return true;
    }

    private bool IsRead(ProtobufPlace place, ProtobufField field) =>
        NodeProtobufGrammar.IsText(place, field.Number) && !(field.Number == 2 && _values.IsValueSkipped(place));

    private bool TryText(ProtobufPlace place, ProtobufField field, ReadOnlySpan<byte> rest)
    {
        if (field.Value > BodyPump.MaxToken)
            throw new NodeStreamException($"The API server sent a text of more than {BodyPump.MaxToken} bytes");
        int length = (int)field.Value;
        if (rest.Length < length)
            return false;
        if (_chars.Length < length)
            _chars = new char[length];
        int chars = Encoding.UTF8.GetChars(rest[..length], _chars);
        _values.Text(place, field.Number, _chars.AsSpan(0, chars));
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
            throw new NodeStreamException("The API server sent an empty object");
        _values.End(place);
        _isListRead |= place == ProtobufPlace.List;
        if (place == ProtobufPlace.Node && root == ProtobufPlace.List)
            sink(WatchEventType.Added, draft);
        else if (place == ProtobufPlace.Event)
            Report();
    }

    private void Report()
    {
        NodeEnvelope envelope = _values.Envelope;
        if (envelope.EventType == WatchEventType.Error)
            throw ApiRefusal.From(envelope.Status);
        if (envelope.EventType != WatchEventType.Unknown)
            sink(envelope.EventType, draft);
    }

    private void Advance(ref int start, int count)
    {
        start += count;
        _position += count;
    }
}
