using HostGw.Kubernetes;

namespace HostGw.Nodes;

/// <summary>What a decoder meets around the nodes: a list's metadata, a watch event's type, a Status in a node's place.</summary>
internal sealed class NodeEnvelope
{
    /// <summary>The annotation of the bookmark that ends a streaming list; its value is "true".</summary>
    public const string InitialEventsEndAnnotation = "k8s.io/initial-events-end";

    private string _reason = "", _message = "";
    private WatchEventType _eventType;

    /// <summary>The object of the event carries the annotation.</summary>
    public bool EndsInitialEvents { get; set; }

    public string Kind { get; set; } = "";

    public bool HasItems { get; set; }

    public string ListVersion { get; set; } = "";

    public string Continue { get; set; } = "";

    public int Code { get; set; }

    public void BeginEvent()
    {
        _eventType = WatchEventType.Unknown;
        EndsInitialEvents = false;
        Code = 0;
        _reason = _message = "";
    }

    public void SetType(ReadOnlySpan<char> text) => _eventType = text switch
    {
        "ADDED" => WatchEventType.Added,
        "MODIFIED" => WatchEventType.Modified,
        "DELETED" => WatchEventType.Deleted,
        "BOOKMARK" => WatchEventType.Bookmark,
        "ERROR" => WatchEventType.Error,
        _ => WatchEventType.Unknown,
    };

    public void SetReason(ReadOnlySpan<char> text) => _reason = ApiStatus.OneLine(text.ToString());

    public void SetMessage(ReadOnlySpan<char> text) => _message = ApiStatus.OneLine(text.ToString());

    /// <summary>Tells the sink of an event that is whole.</summary>
    /// <exception cref="ApiException">The event is an error.</exception>
    public void Report(NodeDraft draft, Action<WatchEventType, NodeDraft> sink)
    {
        if (_eventType == WatchEventType.Error)
            throw ApiErrors.From(new(Code, _reason, _message, null));
        if (_eventType != WatchEventType.Unknown)
            sink(_eventType == WatchEventType.Bookmark && EndsInitialEvents ? WatchEventType.InitialEventsEnd : _eventType, draft);
    }

    /// <exception cref="NodeStreamException">The document was another than a list of nodes.</exception>
    public void RequireList()
    {
        if (!HasItems || Kind is not ("" or "NodeList"))
            throw new NodeStreamException($"The API server sent a {(Kind.Length > 0 ? ApiStatus.OneLine(Kind) : "document")} in place of a NodeList");
        if (ListVersion.Length == 0)
            throw new NodeStreamException("The API server sent a list without a resource version");
    }
}
