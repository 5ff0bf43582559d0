using k8s;
using k8s.Autorest;
using k8s.Models;

namespace HostGw.FakeApi.Tests;

/// <summary>A server, and KubernetesClient with a kubeconfig for it: a client that we did not write.</summary>
public abstract class ClientTest : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("hostgw-client").FullName;
    private readonly List<Kubernetes> _clients = [];

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected FakeApiServer Api { get; private set; } = null!;

    protected Kubernetes Client { get; private set; } = null!;

    protected virtual FakeApiOptions Options => new() { BookmarkPeriod = TimeSpan.FromMilliseconds(200) };

    public async ValueTask InitializeAsync()
    {
        Api = await FakeApiServer.StartAsync(Options);
        Client = NewClient();
    }

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(c => c.Dispose());
        await Api.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>A client with its own connections and kubeconfig file.</summary>
    protected Kubernetes NewClient(KubeconfigOptions? options = null)
    {
        string path = Path.Combine(_folder, $"config-{_clients.Count}");
        Api.WriteKubeconfig(path, options);
        Kubernetes client = new(KubernetesClientConfiguration.BuildConfigFromConfigFile(path));
        _clients.Add(client);
        return client;
    }

    protected void PutNodes(params string[] names)
    {
        foreach (string name in names)
            Api.Nodes.Put(new NodeSpec(name));
    }

    /// <summary>The Status that comes with a refusal of this code.</summary>
    protected static async Task<V1Status> RefusedAsync(HttpStatusCode code, Func<Task> request)
    {
        HttpOperationException refused = await Assert.ThrowsAsync<HttpOperationException>(request);
        Assert.Equal(code, refused.Response.StatusCode);
        V1Status status = KubernetesJson.Deserialize<V1Status>(refused.Response.Content);
        Assert.Equal(("Status", "Failure", (int)code), (status.Kind, status.Status, status.Code));
        return status;
    }
}

/// <summary>The events of a watch, one after the other.</summary>
internal sealed class Watched<T>(IAsyncEnumerable<(WatchEventType Type, T Object)> events) : IAsyncDisposable
    where T : IKubernetesObject<V1ObjectMeta>
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly IAsyncEnumerator<(WatchEventType Type, T Object)> _events = events.GetAsyncEnumerator();

    /// <summary>Null when the watch has ended.</summary>
    public async Task<(WatchEventType Type, T Object)?> NextAsync() =>
        await _events.MoveNextAsync().AsTask().WaitAsync(Deadline, TestContext.Current.CancellationToken) ? _events.Current : null;

    /// <summary>The next events, bookmarks left out, as "Type name".</summary>
    public async Task<string[]> TakeAsync(int count)
    {
        List<string> taken = [];
        while (taken.Count < count)
        {
            if (await NextAsync() is not var (type, item))
                taken.Add("end");
            else if (type != WatchEventType.Bookmark)
                taken.Add($"{type} {item.Name()}");
        }
        return [.. taken];
    }

    /// <summary>The next bookmark; there must be no other event before it.</summary>
    public async Task<T> BookmarkAsync()
    {
        var (type, item) = await NextAsync() ?? throw new InvalidOperationException("The watch has ended");
        Assert.Equal(WatchEventType.Bookmark, type);
        return item;
    }

    public ValueTask DisposeAsync() => _events.DisposeAsync();
}
