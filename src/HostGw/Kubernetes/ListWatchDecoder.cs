using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace HostGw.Kubernetes;

/// <summary>The type of a watch event; a listed object counts as added.</summary>
internal enum WatchEventType
{
    Unknown,
    Added,
    Modified,
    Deleted,

    /// <summary>Only the resource version is set.</summary>
    Bookmark,

    /// <summary>The bookmark after the last object of a streaming list.</summary>
    InitialEventsEnd,

    /// <summary>The object is a Status.</summary>
    Error,
}

/// <summary>The metadata of a list or of one of its pages.</summary>
/// <param name="Continue">The token of the next page; empty on the last one.</param>
internal readonly record struct ListPage(string ResourceVersion, string Continue);

/// <summary>The API server's answer is malformed or of another kind than requested: no part of it counts as complete.</summary>
internal sealed class InvalidAnswerException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Decodes a list, or the events of a watch, from protobuf that arrives in pieces. Every object is decoded into the same draft:
/// neither a list nor an object is ever held as bytes.
/// </summary>
/// <remarks>
/// https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding; field numbers: apimachinery's runtime and
/// meta/v1 generated.proto
/// </remarks>
/// <param name="isWatch">Frames with one event each; else one list.</param>
/// <param name="sink">Called when the draft holds a complete object.</param>
internal sealed class ListWatchDecoder(bool isWatch, ObjectDraft draft, Action<WatchEventType> sink)
{
    /// <summary>Longest text that is decoded, in bytes; of a longer one the draft gets the beginning.</summary>
    public const int MaxText = 1024;

    /// <summary>The annotation of the bookmark that ends a streaming list; its value is "true".</summary>
    public const string InitialEventsEndAnnotation = "k8s.io/initial-events-end";

    private const int BufferSize = 64 * 1024;

    private readonly Stack<Message> _messages = new();
    private readonly char[] _chars = new char[MaxText];
    private readonly TextBuffer _key = new();
    private long _skipTo;

    // What is skipped is passed to the draft.
    private bool _isStreamed;
    private bool _isMagicDue, _isListRead, _isStatus, _endsInitialEvents;
    private string _kind = "", _listVersion = "", _continue = "";
    private ApiStatus _status = ApiStatus.None;
    private WatchEventType _eventType;

    private enum Place : byte
    {
        Skipped,
        ListEnvelope,
        ListType,
        List,
        ListMetadata,
        Event,
        RawExtension,
        ObjectEnvelope,
        ObjectType,
        Status,
        StatusDetails,
        StatusCause,
        Object,
        Metadata,
        CreationTimestamp,
        Label,
        Annotation,

        /// <summary>A message in the object that the draft reads; <see cref="Message.Number"/> is the draft's number for it.</summary>
        Part,
    }

    /// <summary>The bytes decoded so far.</summary>
    public long Position { get; private set; }

    /// <summary>Decodes a body to its end through one pooled buffer.</summary>
    /// <exception cref="InvalidAnswerException">It is malformed, no protobuf, or a list that breaks off.</exception>
    /// <exception cref="ApiException">The watch reported an error.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public async Task ReadAsync(ApiResponse response, CancellationToken cancellationToken)
    {
        if (!response.IsProtobuf)
            throw new InvalidAnswerException(
                "The API server does not answer in protobuf (application/vnd.kubernetes.protobuf), as every kube-apiserver does. " +
                "Is there a proxy in between that changes its answers?");
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            int length = 0;
            for (int read; (read = await response.Body.ReadAsync(buffer.AsMemory(length), cancellationToken)) > 0;)
            {
                length += read;
                int consumed = Decode(buffer.AsSpan(0, length), isFinal: false);
                buffer.AsSpan(consumed, length - consumed).CopyTo(buffer);
                length -= consumed;
            }
            if (!isWatch)
                Decode(buffer.AsSpan(0, length), isFinal: true);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Decodes what is complete; the rest must be passed again, with more.</summary>
    /// <param name="isFinal">Nothing follows: a list must be complete.</param>
    /// <returns>The number of bytes decoded.</returns>
    /// <inheritdoc cref="ReadAsync" path="/exception"/>
    public int Decode(ReadOnlySpan<byte> data, bool isFinal)
    {
        int start = 0;
        try
        {
            do
            {
                int skipped = (int)Math.Min(Math.Max(_skipTo - Position, 0), data.Length - start);
                if (_isStreamed && skipped > 0)
                    draft.Bytes(data.Slice(start, skipped));
                Advance(ref start, skipped);
                while (Position >= _skipTo && _messages.TryPeek(out Message top) && top.End == Position)
                    Leave(_messages.Pop());
            }
            while (Position >= _skipTo && TryStep(data, ref start));
        }
        catch (InvalidDataException e)
        {
            throw new InvalidAnswerException($"The API server sent malformed protobuf: {e.Message}", e);
        }
        // The envelope's end is the end of the stream.
        if (isFinal && !(_isListRead && _messages.Count == 1 && start == data.Length && Position >= _skipTo))
            throw new InvalidAnswerException("The API server's list breaks off");
        return start;
    }

    /// <summary>To be called at the end of a list.</summary>
    /// <exception cref="InvalidAnswerException">The document was not a list of the draft's kind.</exception>
    public ListPage Page()
    {
        if (!_isListRead || (_kind.Length > 0 && draft.Kind is { } kind && _kind != kind + "List"))
        {
            string sent = _kind.Length > 0 ? ApiStatus.OneLine(_kind) : "document";
            throw new InvalidAnswerException($"The API server sent a {sent} instead of a {draft.Kind}List");
        }
        return _listVersion.Length > 0
            ? new(_listVersion, _continue)
            : throw new InvalidAnswerException("The API server sent a list without a resource version");
    }

    // False: what comes next has not arrived completely.
    private bool TryStep(ReadOnlySpan<byte> data, ref int start)
    {
        ReadOnlySpan<byte> rest = data[start..];
        if (_messages.Count == 0)
            return TryBegin(rest, ref start);
        return _isMagicDue ? TryReadMagic(rest, ref start) : TryReadField(rest, ref start);
    }

    // A frame is a bare WatchEvent; only the object in it has an envelope.
    private bool TryBegin(ReadOnlySpan<byte> rest, ref int start)
    {
        if (!isWatch)
        {
            Enter(new(Place.ListEnvelope, 0, long.MaxValue));
            return true;
        }
        if (!BinaryPrimitives.TryReadUInt32BigEndian(rest, out uint length))
            return false;
        Advance(ref start, sizeof(uint));
        Enter(new(Place.Event, 0, Position + length));
        return true;
    }

    private bool TryReadMagic(ReadOnlySpan<byte> rest, ref int start)
    {
        ReadOnlySpan<byte> magic = ProtobufReader.Magic;
        if (_messages.Peek().End - Position < magic.Length || !magic.StartsWith(rest[..Math.Min(rest.Length, magic.Length)]))
            throw new InvalidDataException("an object without the magic number");
        if (rest.Length < magic.Length)
            return false;
        Advance(ref start, magic.Length);
        _isMagicDue = false;
        return true;
    }

    private bool TryReadField(ReadOnlySpan<byte> rest, ref int start)
    {
        var reader = new ProtobufReader(rest);
        if (!reader.TryReadField(out ProtobufField field))
            return false;

        Message message = _messages.Peek();
        long valueAt = Position + reader.Position;
        if (valueAt > message.End || (field.HasBytes && field.Value > (ulong)(message.End - valueAt)))
            throw new InvalidDataException("a field that is longer than its message");
        long valueEnd = valueAt + (field.HasBytes ? (long)field.Value : 0);
        if (!field.HasBytes)
            ReadNumber(message, field);
        else if (Child(message, field.Number, valueEnd) is { Place: not Place.Skipped } child)
            Enter(child);
        else if (IsText(message, field.Number) && !TryReadText(message, field, reader.Rest))
            return false;
        else
            (_skipTo, _isStreamed) = (valueEnd, message.Place == Place.Part && draft.IsStreamed(message.Number, field.Number));
        Advance(ref start, reader.Position);
        return true;
    }

    private Message Child(Message message, int field, long end) => new(
        (message.Place, field) switch
        {
            (Place.ListEnvelope, 1) => Place.ListType,
            (Place.ListEnvelope, 2) => Place.List,
            (Place.List, 1) => Place.ListMetadata,
            (Place.List, 2) => Place.Object,
            (Place.Event, 2) => Place.RawExtension,
            (Place.RawExtension, 1) => Place.ObjectEnvelope,
            (Place.ObjectEnvelope, 1) => Place.ObjectType,
            (Place.ObjectEnvelope, 2) => _isStatus ? Place.Status : Place.Object,
            (Place.Status, 5) => Place.StatusDetails,
            (Place.StatusDetails, 4) => Place.StatusCause,
            (Place.Object, 1) => Place.Metadata,
            (Place.Metadata, 8) => Place.CreationTimestamp,
            (Place.Metadata, 11) => Place.Label,
            (Place.Metadata, 12) => Place.Annotation,
            (Place.Object or Place.Part, _) when draft.Child(message.Number, field) > 0 => Place.Part,
            _ => Place.Skipped,
        },
        message.Place is Place.Object or Place.Part ? draft.Child(message.Number, field) : 0,
        end);

    private bool IsText(Message message, int field) => (message.Place, field) switch
    {
        (Place.ListType or Place.ObjectType, 2) => true, // kind
        (Place.ListMetadata, 2 or 3) => true, // resourceVersion, continue
        (Place.Event, 1) => true, // type
        (Place.Status, 3 or 4) or (Place.StatusCause, 1) => true, // message, reason; a cause's reason
        (Place.Metadata, 1 or 5 or 6) => true, // name, uid, resourceVersion
        (Place.Label, 1 or 2) or (Place.Annotation, 1) => true, // key, value
        (Place.Annotation, 2) => _key.Is(InitialEventsEndAnnotation) || draft.ReadsAnnotation(_key.Span),
        (Place.Part, _) => draft.IsText(message.Number, field),
        _ => false,
    };

    private bool TryReadText(Message message, ProtobufField field, ReadOnlySpan<byte> rest)
    {
        bool isCut = field.Value > MaxText;
        if (isCut && message.Place is Place.ListType or Place.ListMetadata)
            throw new InvalidDataException("a text that is too long");
        int length = isCut ? MaxText : (int)field.Value;
        if (rest.Length < length)
            return false;

        ReadOnlySpan<char> text = _chars.AsSpan(0, Encoding.UTF8.GetChars(rest[..length], _chars));
        if (message.Place == Place.Part)
            draft.Text(message.Number, field.Number, text, isCut);
        else if (message.Place is Place.Label or Place.Annotation)
            ReadPair(message.Place, field.Number, text, isCut);
        else if (!isCut || message.Place == Place.Status)
            ReadText(message.Place, field.Number, text);
        return true;
    }

    private void ReadPair(Place place, int field, ReadOnlySpan<char> text, bool isCut)
    {
        if (field == 1)
            _key.Set(isCut ? "" : text);
        else if (place == Place.Label && !isCut)
            draft.SetLabel(_key.Span, text);
        else if (place == Place.Annotation && _key.Is(InitialEventsEndAnnotation))
            _endsInitialEvents = text is "true";
        else if (place == Place.Annotation)
            draft.SetAnnotation(_key.Span, text, isCut);
    }

    private void ReadText(Place place, int field, ReadOnlySpan<char> text)
    {
        switch (place, field)
        {
            case (Place.ListType, _):
                _kind = text.ToString();
                break;
            case (Place.ObjectType, _):
                _isStatus = text is "Status";
                break;
            case (Place.ListMetadata, 2):
                _listVersion = text.ToString();
                break;
            case (Place.ListMetadata, _):
                _continue = text.ToString();
                break;
            case (Place.Event, _):
                _eventType = EventType(text);
                break;
            case (Place.Status, 3):
                _status = _status with { Message = ApiStatus.OneLine(text.ToString()) };
                break;
            case (Place.Status, _):
                _status = _status with { Reason = ApiStatus.OneLine(text.ToString()) };
                break;
            case (Place.StatusCause, _):
                _status = _status.WithCause(text.ToString());
                break;
            case (Place.Metadata, _):
                (field == 1 ? draft.Name : field == 5 ? draft.Uid : draft.ResourceVersion).Set(text);
                break;
        }
    }

    private void ReadNumber(Message message, ProtobufField field)
    {
        if ((message.Place, field.Number) is (Place.CreationTimestamp, 1))
            draft.CreatedAt = (long)field.Value;
        else if ((message.Place, field.Number) is (Place.Status, 6))
            _status = _status with { Code = (int)field.Value };
        else if ((message.Place, field.Number) is (Place.StatusDetails, 5))
            _status = _status with { RetryAfterSeconds = (int)field.Value };
    }

    private static WatchEventType EventType(ReadOnlySpan<char> text) => text switch
    {
        "ADDED" => WatchEventType.Added,
        "MODIFIED" => WatchEventType.Modified,
        "DELETED" => WatchEventType.Deleted,
        "BOOKMARK" => WatchEventType.Bookmark,
        "ERROR" => WatchEventType.Error,
        _ => WatchEventType.Unknown,
    };

    private void Enter(Message message)
    {
        switch (message.Place)
        {
            case Place.Event:
                (_eventType, _isStatus, _endsInitialEvents, _status) = (WatchEventType.Unknown, false, false, ApiStatus.None);
                draft.Clear();
                break;
            case Place.Object:
                draft.Clear();
                break;
            case Place.Label or Place.Annotation:
                _key.Clear();
                break;
            case Place.Part:
                draft.Begin(message.Number);
                break;
        }
        _messages.Push(message);
        _isMagicDue = message.Place is Place.ListEnvelope or Place.ObjectEnvelope;
    }

    private void Leave(Message message)
    {
        if (_isMagicDue)
            throw new InvalidDataException("an object without the magic number");
        _isListRead |= message.Place == Place.List;
        if (message.Place == Place.Part)
            draft.End(message.Number);
        else if (message.Place == Place.Object)
            draft.Complete();
        if (message.Place == Place.Object && !isWatch)
            sink(WatchEventType.Added);
        else if (message.Place == Place.Event)
            Report();
    }

    private void Report()
    {
        if (_eventType == WatchEventType.Error)
            throw ApiErrors.From(_status);
        if (_eventType != WatchEventType.Unknown)
            sink(_eventType == WatchEventType.Bookmark && _endsInitialEvents ? WatchEventType.InitialEventsEnd : _eventType);
    }

    private void Advance(ref int start, int count)
    {
        start += count;
        Position += count;
    }

    /// <param name="Number">The draft's number of a <see cref="Place.Part"/>; else 0, as of the object itself.</param>
    private readonly record struct Message(Place Place, int Number, long End);
}
