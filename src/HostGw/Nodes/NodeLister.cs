using HostGw.Kubernetes;
using HostGw.Planning;

namespace HostGw.Nodes;

/// <summary>Fills the store with all nodes, page by page; the store changes only when the last page is whole.</summary>
internal sealed class NodeLister(ApiClient client, NodeReader reader, NodeStore store, TimeProvider time)
{
    private const int PageSize = 500;

    private static readonly TimeSpan ListTimeout = TimeSpan.FromMinutes(5);

    private readonly ListVersion _version = new(store);

    /// <summary>Lists from the watch cache, but never back in time; returns whether planning would see a difference.</summary>
    /// <param name="byQuorum">Not from the cache.</param>
    /// <exception cref="ApiException">Refused or not reached.</exception>
    /// <exception cref="NodeStreamException">A page is broken.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public async Task<bool> ListAsync(CancellationToken cancellationToken, bool byQuorum = false)
    {
        try
        {
            bool changed = await ListFromAsync(byQuorum ? null : _version.Next, cancellationToken);
            _version.Reached();
            return changed;
        }
        catch (ApiException e) when (e.IsTimeout)
        {
            _version.NotReached();
            throw;
        }
    }

    private async Task<bool> ListFromAsync(string? from, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(ListTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            string version = await PagesAsync(from, either.Token);
            if (from is not null)
                _version.RequireNotOlder(version);
            return store.CompleteList(version, byQuorum: from is null);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ApiException($"The list of nodes did not arrive within {ListTimeout.TotalMinutes:0} min", e);
        }
    }

    private async Task<string> PagesAsync(string? from, CancellationToken cancellationToken)
    {
        int limit = PageSize;
        NodeListPage first = default, page = default;
        store.BeginList();
        do
        {
            try
            {
                page = await PageAsync(limit, from, page.Continue, cancellationToken);
                first = first == default ? page : first;
            }
            catch (ApiException e) when (e.IsExpired && limit > 0 && page != default)
            {
                // The pages came too slowly for the server's history: all at once, then nothing can expire.
                limit = 0;
                first = page = default;
                store.BeginList();
                continue;
            }
        }
        while (page == default || page.Continue.Length > 0);
        return first.ResourceVersion;
    }

    private async Task<NodeListPage> PageAsync(int limit, string? from, string? token, CancellationToken cancellationToken)
    {
        bool notOlderThan = from is not (null or "0");
        using ApiResponse response = await client.ListNodesAsync(limit, from, notOlderThan, token, cancellationToken);
        NodeListPage page = await reader.ReadListAsync(response, (_, draft) => store.AddListed(draft), cancellationToken);
        return page.Continue.Length == 0 || page.Continue != token
            ? page
            : throw new NodeStreamException("The API server sends the same page again and again");
    }
}
