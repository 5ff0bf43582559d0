using System.Globalization;
using System.Text.Json.Nodes;
using HostGw.Digest;
using HostGw.FakeApi;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Tests.Hosting;
using HostGw.Tests.Kubernetes;
using HostGw.Tests.Nodes;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Digest;

/// <summary>A writer whose Nodes and shards are what a test says, on time that a test lets pass; its requests go to an API server.</summary>
internal sealed class HandFedDigest : IAsyncDisposable
{
    private readonly FakeApiServer _api;
    private readonly TemporaryFolder _folder = new();
    private readonly ApiClient _client;
    private readonly NodeDraft _node = new(NodeText.Selector);
    private readonly ShardDraft _shard = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _settling;
    private int _timelineReads, _quorumReads;

    public HandFedDigest(FakeApiServer api, string labels = "")
    {
        _api = api;
        api.Objects.Put("""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"hostgw-digest"}}""");
        api.WriteKubeconfig(_folder["config"]);
        _client = new(ApiConfiguration.BuildConfigFromConfigFile(_folder["config"]), "1", PatientTime.OfClient);
        Writer = new(
            _client, Nodes, Stored, labels, new(() => IsFollowing, ReadTimelineAsync, () => Interlocked.Increment(ref _quorumReads)),
            Time, new Typed<DigestWriter>(Log));
        _settling = SettleAsync();
    }

    /// <summary>A test lets it pass; only what has just changed settles by itself.</summary>
    public ManualTime Time { get; } = new();

    public LogLines Log { get; } = new();

    public NodeStore Nodes { get; } = new();

    public StoredShards Stored { get; } = new();

    public DigestWriter Writer { get; }

    /// <summary>The watch of Nodes is open.</summary>
    public bool IsFollowing { get; set; } = true;

    /// <summary>The store's resource version, as the API server would say.</summary>
    public long Timeline { get; set; } = 100_000;

    public int TimelineReads => Volatile.Read(ref _timelineReads);

    public int QuorumReads => Volatile.Read(ref _quorumReads);

    /// <summary>How many addresses each node gets.</summary>
    public int Addresses { get; set; }

    /// <summary>A list of Nodes is complete.</summary>
    public void ListNodes(long version, bool byQuorum, params string[] names)
    {
        Nodes.BeginList();
        foreach (string name in names)
        {
            Fill(name, version);
            Nodes.AddListed(_node);
        }
        Nodes.CompleteList(version.ToString(CultureInfo.InvariantCulture), byQuorum);
        Writer.Signal();
    }

    /// <summary>An event of the watch.</summary>
    public void Put(string name, long version, string podCidr = "10.244.1.0/24")
    {
        Fill(name, version, podCidr);
        if (Nodes.Apply(WatchEventType.Modified, _node))
            Writer.Signal();
    }

    /// <summary>All shards are stored, and a list of them is complete.</summary>
    /// <param name="data">Of one; null: there is none.</param>
    public void ListShards(Func<int, Dictionary<string, string>?> data)
    {
        Stored.BeginList();
        for (int shard = 0; shard < ShardFormat.Count; shard++)
        {
            if (data(shard) is not { } held)
                continue;
            ShardText.Fill(_shard, ShardFormat.Name(shard), PutShard(shard, held), held);
            Stored.AddListed(_shard);
        }
        Stored.CompleteList(_api.ResourceVersion.ToString(CultureInfo.InvariantCulture), byQuorum: false);
        Writer.Signal();
    }

    /// <summary>All shards are as these nodes require, but for those of the homes of <paramref name="absent"/>.</summary>
    public void ListShardsWithout(params string[] absent)
    {
        HashSet<int> missing = [.. absent.Select(n => ShardFormat.Home(n))];
        ListShards(shard => missing.Contains(shard) ? null : ShardText.Data(
            shard, Nodes.Snapshot.Nodes.Where(n => ShardFormat.Home(n.Name) == shard)));
    }

    /// <summary>Somebody else writes a shard; no watch reports it.</summary>
    public long PutShard(int shard, Dictionary<string, string> data) => _api.Objects.Put(new JsonObject
    {
        ["apiVersion"] = "v1",
        ["kind"] = "ConfigMap",
        ["metadata"] = new JsonObject
        {
            ["name"] = ShardFormat.Name(shard),
            ["namespace"] = ShardFormat.Namespace,
            ["labels"] = new JsonObject { [ShardFormat.LabelKey] = ShardFormat.LabelValue },
        },
        ["data"] = new JsonObject(data.Select(d => KeyValuePair.Create<string, JsonNode?>(d.Key, d.Value))),
    });

    /// <summary>The watch reports it.</summary>
    public void Tell(WatchEventType type, int shard, long version, Dictionary<string, string> data)
    {
        ShardText.Fill(_shard, ShardFormat.Name(shard), version, data);
        if (Stored.Apply(type, _shard))
            Writer.Signal();
    }

    public Task StartAsync() => Writer.StartAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _settling;
        _stop.Dispose();
        await Writer.StopAsync(CancellationToken.None);
        Assert.False(Writer.ExecuteTask?.IsFaulted, Writer.ExecuteTask?.Exception?.ToString());
        Writer.Dispose();
        _client.Dispose();
        _folder.Dispose();
    }

    private async Task SettleAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            if (Time.Pending().Contains(ShardSchedule.Settle))
                Time.Advance(ShardSchedule.Settle);
            await Task.Delay(1, CancellationToken.None);
        }
    }

    private Task<string> ReadTimelineAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _timelineReads);
        return Task.FromResult(Timeline.ToString(CultureInfo.InvariantCulture));
    }

    private void Fill(string name, long version, string podCidr = "10.244.1.0/24")
    {
        _node.Clear();
        _node.Name.Set(name);
        _node.Uid.Set($"uid-{name}");
        _node.CreatedAt = 1000;
        _node.ResourceVersion.Set(version.ToString(CultureInfo.InvariantCulture));
        _node.PodCidrs.Add(podCidr);
        for (int i = 0; i < Addresses; i++)
            _node.AddAddress("InternalIP", $"2001:db8:1111:2222:3333:4444:5555:{i + 0x1000:x}");
        _node.Complete();
    }
}
