using System.Diagnostics;
using System.Text.Json.Nodes;
using HostGw.Digest;
using HostGw.FakeApi;
using HostGw.Hosting;
using HostGw.Kubernetes;
using HostGw.Lab;
using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Storms.Readers;

namespace HostGw.Storms;

/// <summary>How large a storm is.</summary>
/// <param name="Agents">Readers, in addition to the real agent. Their Nodes are the first ones.</param>
/// <param name="Whole">How many of them keep all nodes.</param>
/// <param name="Joins">Nodes that join within <paramref name="JoinTime"/>.</param>
/// <param name="Away">How long the digest is away.</param>
/// <param name="Deadline">Which only a defect reaches.</param>
internal sealed record StormSettings(
    int Agents, int Nodes, int Whole, int Joins, TimeSpan JoinTime, TimeSpan Away, TimeSpan Deadline)
{
    /// <summary>For `make test`.</summary>
    public static StormSettings Short { get; } =
        new(300, 1_000, 10, 50, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(3), TimeSpan.FromMinutes(1));

    /// <summary>For `make storms`.</summary>
    public static StormSettings Long { get; } =
        new(10_000, 10_000, 20, 500, TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(10));
}

/// <summary>The API server of a large cluster, the real digest, a real agent with a kernel of its own, and thousands of readers.</summary>
internal sealed class StormSite : IAsyncDisposable
{
    private const string ApiAddress = "172.31.255.254", OnLink = "12", Protocol = "157";
    private const int Port = 6443, PlainAddresses = 4;

    // How often readers are asked whether they agree.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly string _expected = $"{Box.Directory}/expected";
    private readonly NetworkNamespace _machine;

    // Of the same store, for who looks on: nobody is in its way, and what it sends is not counted.
    private readonly FakeApiServer _second;
    private readonly ApiClient _client;
    private HashSet<string> _routes = [];

    private StormSite(StormSettings settings, FakeApiServer api, FakeApiServer second, NetworkNamespace machine)
    {
        (Settings, Api, _second, _machine) = (settings, api, second, machine);
        string kubeconfig = $"{Box.Directory}/kubeconfig";
        api.WriteKubeconfig(kubeconfig, new() { Server = $"https://{ApiAddress}:{Port}" });
        _client = new(
            new() { Server = new($"http://{second.PlainEndpoints[0]}"), Token = CredentialSource.Inline(api.Token) },
            AgentVersion.Number, TimeProvider.System);
        Digest = new(network: null, machine.Name, kubeconfig);
        Agent = new(machine, kubeconfig, new(
            "NodeAddress", [IPNetwork.Parse("10.0.0.0/8")],
            ["--nat-backend", "nftables", "--nodes-source", "digest"])
        {
            AgentOnly = ["--probe-enabled", "false"],
        });
        Readers = new(settings.Agents, settings.Whole, api.PlainEndpoints, api.Token);
    }

    public StormSettings Settings { get; }

    public FakeApiServer Api { get; }

    public DigestProgram Digest { get; }

    public Agent Agent { get; }

    public ReaderCrowd Readers { get; }

    /// <summary>Watches of the shards while all is well: those of the readers, the agent's and the digest's own.</summary>
    public int Watchers => Readers.Count + 2;

    public Sent Shards => Api.Sent("configmaps");

    /// <summary>Everything runs and knows everything.</summary>
    public static async Task<StormSite> CreateAsync(StormSettings settings)
    {
        NetworkNamespace machine = new(NodeFactory.Node(1).Name);
        NetworkNamespace.Create([machine.Name]);
        Ip.Batch(
        [
            $"link add machine type veth peer name eth0 netns {machine.Name}", $"address add {ApiAddress}/{OnLink} dev machine",
            "link set machine up",
        ]);
        machine.Configure([$"address add {NodeFactory.Node(1).InternalIPs[0]}/{OnLink} dev eth0", "link set eth0 up"]);
        FakeApiServer api = await FakeApiServer.StartAsync(new()
        {
            Listen = [new(IPAddress.Parse(ApiAddress), Port), new(IPAddress.Loopback, Port)],
            PlainListen = [.. Enumerable.Range(1, PlainAddresses).Select(i => new IPEndPoint(IPAddress.Parse($"127.0.0.{i}"), 0))],
            HistoryCapacity = 4096,
            ListsAtOnce = 50,
            MostConnections = Descriptors.MostConnections,
        });
        api.Objects.Put($$$"""{"kind":"Namespace","metadata":{"name":"{{{ShardFormat.Namespace}}}"},"status":{"phase":"Active"}}""");
        api.Nodes.Put(NodeFactory.Cluster(settings.Nodes));
        FakeApiServer second = await api.StartPeerAsync(new() { PlainListen = [new(IPAddress.Loopback, 0)] });
        StormSite site = new(settings, api, second, machine);
        try
        {
            site.Digest.Start();
            await site.Digest.WaitReadyAsync(settings.Deadline);
            site.Agent.Start();
            await site.Readers.StartAsync();
            await site.SettleAsync();
        }
        catch
        {
            await site.DisposeAsync();
            throw;
        }
        return site;
    }

    /// <summary>Waits until every reader and the agent's kernel are as the Nodes are now; returns how long that took.</summary>
    /// <exception cref="TimeoutException">They are not.</exception>
    public async Task<TimeSpan> SettleAsync()
    {
        await ExpectAsync();
        long start = Stopwatch.GetTimestamp();
        while (await DifferenceAsync() is { } difference)
        {
            if (Stopwatch.GetElapsedTime(start) > Settings.Deadline)
                throw new TimeoutException($"{difference}; the digest's last words:\n{string.Join('\n', Digest.Log.LastWords(10))}");
            await Task.Delay(Pause);
        }
        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>From now on all should know the Nodes as they are now.</summary>
    public async Task ExpectAsync()
    {
        (await ExpectedState.ComputeAsync(_client)).Write(_expected);
        _routes = [.. Routes()];
    }

    /// <summary>Who is not as it was last expected; null: everyone is.</summary>
    public async Task<string?> DifferenceAsync()
    {
        Comparison readers = await Readers.CompareAsync(_expected);
        if (!readers.IsWhole)
            return $"{readers.Agree} of {readers.Count} readers know what they should; {readers.Why}";
        return RoutesDifference();
    }

    /// <summary>What one list of the shards has, in bytes.</summary>
    public async Task<long> ListBytesAsync()
    {
        ListWatch<ShardDraft> api = ApiAccess.Shards(_client);
        return (await api.ListAsync(new ShardHashes(), "0", CancellationToken.None)).Bytes;
    }

    public async ValueTask DisposeAsync()
    {
        Readers.Dispose();
        Agent.Dispose();
        Digest.Dispose();
        _client.Dispose();
        await _second.DisposeAsync();
        await Api.DisposeAsync();
    }

    private string? RoutesDifference()
    {
        HashSet<string> installed =
        [
            .. _machine.Exec("ip", "-4", "route", "show", "proto", Protocol).Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => line.Split(' ')).Where(words => words.Length > 2).Select(words => $"{words[0]} via {words[2]}"),
        ];
        int missing = _routes.Except(installed).Count(), others = installed.Except(_routes).Count();
        return missing + others == 0 ? null : $"the agent's kernel lacks {missing} routes and has {others} others";
    }

    private IEnumerable<string> Routes() =>
        from name in Api.Nodes.Names
        where name != _machine.Name
        let node = JsonNode.Parse(Api.Nodes.Get(name)!)!
        select $"{node["spec"]!["podCIDR"]} via {node["status"]!["addresses"]![0]!["address"]}";
}
