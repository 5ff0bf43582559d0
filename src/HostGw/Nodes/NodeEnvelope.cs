using HostGw.Kubernetes;

namespace HostGw.Nodes;

/// <summary>What a decoder meets around the nodes: a list's metadata, a watch event's type, a Status in a node's place.</summary>
internal sealed class NodeEnvelope
{
    /// <summary>The annotation of the bookmark that ends a streaming list; its value is "true".</summary>
    public const string InitialEventsEndAnnotation = "k8s.io/initial-events-end";

    private string _reason = "", _message = "";
    private WatchEventType _eventType;

    public WatchEventType EventType =>
        _eventType == WatchEventType.Bookmark && EndsInitialEvents ? WatchEventType.InitialEventsEnd : _eventType;

    /// <summary>The object of the event carries the annotation.</summary>
    public bool EndsInitialEvents { get; set; }

    public string Kind { get; set; } = "";

    public bool HasItems { get; set; }

    public string ListVersion { get; set; } = "";

    public string Continue { get; set; } = "";

    public int Code { get; set; }

    public ApiStatus Status => new(Code, _reason, _message, null);

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

    /// <exception cref="NodeStreamException">The document was another than a list of nodes.</exception>
    public void RequireList()
    {
        if (!HasItems || Kind is not ("" or "NodeList"))
            throw new NodeStreamException($"The API server sent a {(Kind.Length > 0 ? ApiStatus.OneLine(Kind) : "document")} in place of a NodeList");
        if (ListVersion.Length == 0)
            throw new NodeStreamException("The API server sent a list without a resource version");
    }
}
