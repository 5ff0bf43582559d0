using HostGw.FakeApi;

namespace HostGw.Tests.FakeApi;

/// <summary>A server and a client per test.</summary>
public abstract class FakeApiTest : IAsyncLifetime
{
    private readonly List<IDisposable> _clients = [];

    internal FakeApiServer Api { get; private set; } = null!;

    internal RawClient Client { get; private set; } = null!;

    protected virtual FakeApiOptions Options => new();

    public async ValueTask InitializeAsync()
    {
        Api = await FakeApiServer.StartAsync(Options);
        Client = NewClient();
    }

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(c => c.Dispose());
        await Api.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    internal RawClient NewClient(Version? version = null)
    {
        var client = new RawClient(Api, version);
        _clients.Add(client);
        return client;
    }

    internal void PutNodes(params string[] names)
    {
        foreach (string name in names)
            Api.Nodes.Put(new NodeSpec(name));
    }

    internal static async Task EventuallyAsync(Func<bool> holds, string what)
    {
        for (int i = 0; !holds(); i++)
        {
            Assert.True(i < 3000, what);
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}
