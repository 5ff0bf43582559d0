using HostGw.FakeApi;
using HostGw.Kubernetes;
using HostGw.Tests.Kubernetes;

namespace HostGw.Tests.FakeApi;

/// <summary>A server, its clients and a folder per test.</summary>
/// <remarks>xunit does not call Dispose where there is DisposeAsync: what a test needs disposed it passes to <see cref="Owned"/>.</remarks>
public abstract class FakeApiTest : IAsyncLifetime
{
    private readonly Stack<IDisposable> _owned = [];
    private TemporaryFolder? _folder;

    internal FakeApiServer Api { get; private set; } = null!;

    internal RawClient Client { get; private set; } = null!;

    internal TemporaryFolder Folder => _folder ??= Owned(new TemporaryFolder());

    protected virtual FakeApiOptions Options => new();

    public async ValueTask InitializeAsync()
    {
        Api = await FakeApiServer.StartAsync(Options);
        Client = NewClient();
    }

    public async ValueTask DisposeAsync()
    {
        while (_owned.TryPop(out IDisposable? item))
            item.Dispose();
        await Api.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    internal RawClient NewClient(Version? version = null) => Owned(new RawClient(Api, version));

    /// <summary>The program's own client, by a kubeconfig.</summary>
    internal ApiClient Connect()
    {
        Api.WriteKubeconfig(Folder["config"]);
        return Owned(ApiVerbs.Client(ApiConfiguration.BuildConfigFromConfigFile(Folder["config"])));
    }

    /// <summary>Disposed of with the test, the last first.</summary>
    internal T Owned<T>(T item)
        where T : IDisposable
    {
        _owned.Push(item);
        return item;
    }

    internal void PutNodes(params string[] names)
    {
        foreach (string name in names)
            Api.Nodes.Put(new NodeSpec(name));
    }

    internal static Task EventuallyAsync(Func<bool> holds, string what) => EventuallyAsync(holds, () => what);

    /// <param name="what">Asked when it does not hold in time: it may describe the state of that moment.</param>
    internal static async Task EventuallyAsync(Func<bool> holds, Func<string> what)
    {
        for (int i = 0; !holds(); i++)
        {
            if (i == 3000)
                Assert.Fail(what());
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}
