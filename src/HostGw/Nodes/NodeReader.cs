using HostGw.Kubernetes;
using HostGw.Planning;

namespace HostGw.Nodes;

/// <summary>Reads nodes from the API's answers as they arrive: neither a list nor a Node is ever held whole.</summary>
internal sealed class NodeReader(NodeSelector selector)
{
    private readonly NodeDraft _draft = new(selector);

    /// <summary>Reads a page to its end; the draft that the sink gets is valid during the call.</summary>
    /// <exception cref="NodeStreamException">The page is broken or breaks off.</exception>
    public async Task<NodeListPage> ReadListAsync(Stream stream, Action<WatchEventType, NodeDraft> sink, CancellationToken cancellationToken)
    {
        var decoder = new NodeJsonDecoder(JsonPlace.List, _draft, sink);
        await JsonPump.RunAsync(stream, decoder, endsDocument: true, cancellationToken);
        return decoder.Page();
    }

    /// <summary>Reads events until the stream ends, be it within an event.</summary>
    /// <exception cref="NodeStreamException">An event is broken.</exception>
    /// <exception cref="KubernetesException">The server ended the watch with an error.</exception>
    public Task ReadWatchAsync(Stream stream, Action<WatchEventType, NodeDraft> sink, CancellationToken cancellationToken) =>
        JsonPump.RunAsync(stream, new(JsonPlace.Event, _draft, sink), endsDocument: false, cancellationToken);
}

/// <summary>What a page says of its list.</summary>
/// <param name="Continue">Asks for the next page; empty on the last.</param>
internal readonly record struct NodeListPage(string ResourceVersion, string Continue);
