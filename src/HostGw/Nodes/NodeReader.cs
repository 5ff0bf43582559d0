using HostGw.Kubernetes;
using HostGw.Planning;

namespace HostGw.Nodes;

/// <summary>Reads nodes from the API's answers as they arrive: neither a list nor a Node is ever held whole.</summary>
internal sealed class NodeReader(NodeSelector selector)
{
    private readonly NodeDraft _draft = new(selector);

    /// <summary>Reads a page to its end; the draft that the sink gets is valid during the call.</summary>
    /// <exception cref="NodeStreamException">The page is broken or breaks off.</exception>
    public async Task<NodeListPage> ReadListAsync(ApiResponse response, Action<WatchEventType, NodeDraft> sink, CancellationToken cancellationToken)
    {
        INodeDecoder decoder = response.IsProtobuf
            ? new NodeProtobufDecoder(ProtobufPlace.List, _draft, sink)
            : new NodeJsonDecoder(JsonPlace.List, _draft, sink);
        await BodyPump.RunAsync(response.Body, decoder, endsDocument: true, cancellationToken);
        return decoder.Page();
    }

    /// <summary>Reads events until the stream ends, be it within an event.</summary>
    /// <exception cref="NodeStreamException">An event is broken.</exception>
    /// <exception cref="ApiException">The server ended the watch with an error.</exception>
    public Task ReadWatchAsync(ApiResponse response, Action<WatchEventType, NodeDraft> sink, CancellationToken cancellationToken)
    {
        INodeDecoder decoder = response.IsProtobuf
            ? new NodeProtobufDecoder(ProtobufPlace.Event, _draft, sink)
            : new NodeJsonDecoder(JsonPlace.Event, _draft, sink);
        return BodyPump.RunAsync(response.Body, decoder, endsDocument: false, cancellationToken);
    }
}

/// <summary>What a page says of its list.</summary>
/// <param name="Continue">Asks for the next page; empty on the last.</param>
internal readonly record struct NodeListPage(string ResourceVersion, string Continue);
