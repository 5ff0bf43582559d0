using HostGw.Kubernetes;

namespace HostGw.Nodes;

/// <summary>A list as the beginning of a watch: the nodes come as events, a bookmark ends them, and the watch goes on.</summary>
/// <remarks>https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists</remarks>
internal sealed class StreamingList(ApiClient client, NodeStore store)
{
    private readonly ListVersion _version = new(store);
    private bool _failed, _byQuorum;

    /// <summary>It has begun, and its end has not yet come.</summary>
    public bool IsRunning { get; private set; }

    /// <summary>False once the server has shown that it knows no streaming lists.</summary>
    public bool IsSupported { get; private set; } = true;

    /// <summary>Whether the next list should be one; after one that came to nothing, the next goes by pages.</summary>
    public bool IsDue => IsSupported && !_failed;

    /// <summary>Begins a list; the store is unchanged until it ends.</summary>
    /// <exception cref="ApiException">Refused, or not reached.</exception>
    public async Task<ApiResponse> OpenAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        try
        {
            string? from = _version.Next;
            ApiResponse response = await client.StreamNodesAsync(from, atMost, cancellationToken);
            _byQuorum = from is null;
            _version.Reached();
            store.BeginList();
            IsRunning = true;
            return response;
        }
        catch (ApiException e) when (e.IsTimeout)
        {
            _version.NotReached();
            throw;
        }
        catch (ApiException e) when (e.StatusCode is >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError and not HttpStatusCode.TooManyRequests)
        {
            // The words of a server without streaming lists are 422 or, from other implementations, 400.
            IsSupported = e.StatusCode is not (HttpStatusCode.UnprocessableEntity or HttpStatusCode.BadRequest);
            _failed = true;
            throw;
        }
    }

    /// <summary>What the events of the watch go to: the list, and after its end <paramref name="follow"/>.</summary>
    /// <param name="listed">Told whether planning would see a difference.</param>
    public Action<WatchEventType, NodeDraft> Sink(WatchPatience patience, Action<bool> listed, Action<WatchEventType, NodeDraft> follow)
    {
        patience.AwaitList();
        return (type, draft) =>
        {
            if (!IsRunning)
            {
                follow(type, draft);
            }
            else if (Take(type, draft, out bool different))
            {
                patience.AwaitEvents();
                listed(different);
            }
            else
            {
                patience.AwaitList();
            }
        };
    }

    /// <summary>Takes in an event; true when that was the end of the list.</summary>
    /// <param name="different">Whether planning would see a difference; meaningful at the end.</param>
    /// <exception cref="NodeStreamException">This is no streaming list: the server did not understand what it was asked for.</exception>
    public bool Take(WatchEventType type, NodeDraft draft, out bool different)
    {
        different = false;
        switch (type)
        {
            // A server that is catching up tells of changes, too, before it has told everything.
            case WatchEventType.Added or WatchEventType.Modified:
                store.AddListed(draft);
                return false;
            case WatchEventType.Deleted:
                store.RemoveListed(draft);
                return false;
            case WatchEventType.InitialEventsEnd when !draft.ResourceVersion.IsEmpty:
                if (!_byQuorum)
                    _version.RequireNotOlder(draft.ResourceVersion.ToString());
                IsRunning = false;
                different = store.CompleteList(draft.ResourceVersion.ToString(), _byQuorum);
                return true;
            default:
                IsSupported = false;
                throw new NodeStreamException("The API server does not end its list");
        }
    }

    /// <summary>The watch is over; if the list is not, the next goes by pages.</summary>
    public void Stop()
    {
        _failed |= IsRunning;
        IsRunning = false;
    }

    /// <summary>The pages came instead.</summary>
    public void Replaced() => _failed = false;
}
