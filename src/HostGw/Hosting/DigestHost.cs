using HostGw.Digest;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Settings;
using HostGw.Status;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HostGw.Hosting;

/// <summary>The digest, wired in the order in which data flows.</summary>
internal static class DigestHost
{
    public static IHost Build(AgentSettings settings, ILoggerFactory loggers, LogLevelReloader logLevel)
    {
        HostApplicationBuilder builder = ProgramHost.NewBuilder(loggers, logLevel);
        AddNodes(builder.Services, settings);
        AddShards(builder.Services, settings);
        AddStatus(builder.Services, settings);
        return builder.Build();
    }

    /// <summary>The 512 ConfigMaps as the API server's Nodes require them, from one list. Writes nothing.</summary>
    /// <inheritdoc cref="ApiAccess.ListAsync(AgentSettings, CancellationToken)" path="/exception"/>
    public static async Task<IReadOnlyList<k8s.Models.V1ConfigMap>> MakeAsync(AgentSettings settings, CancellationToken cancellationToken)
    {
        NodeStore store = new();
        using ApiClient client = ApiAccess.Connect(settings);
        await Nodes(settings, client).ListAsync(store, "0", cancellationToken);
        WantedShards wanted = new(ShardFormat.Labels(DigestLabels.Of(settings)));
        wanted.Take(store.Snapshot.Nodes);
        return [.. Enumerable.Range(0, ShardFormat.Count).Select(shard => wanted.Make(shard, store.ResourceVersion))];
    }

    // Kubernetes → Nodes
    private static void AddNodes(IServiceCollection services, AgentSettings settings)
    {
        services.AddSingleton(_ => ApiAccess.Connect(settings));
        services.AddSingleton<NodeStore>();
        services.AddSingleton(s => Nodes(settings, s.GetRequiredService<ApiClient>()));
        services.AddSingleton(s => new Reflector<NodeDraft>(
            s.GetRequiredService<ListWatch<NodeDraft>>(), s.GetRequiredService<NodeStore>(), Changed(s), TimeProvider.System,
            s.GetRequiredService<ILogger<Reflector<NodeDraft>>>(), listers: static () => 1, listsAfterLoss: true, kept: "shards")
        {
            Following = Changed(s),
            WentBack = () => s.GetRequiredService<Reflector<ShardDraft>>().ReadByQuorum(),
            ListCompleted = () => s.GetRequiredService<ApiServerAddresses>().ReadSoon(),
        });
        services.AddSingleton(s => new ApiServerAddresses(
            s.GetRequiredService<ApiClient>(), s.GetRequiredService<NodeStore>(), file: null, settings.NodeName, TimeProvider.System,
            s.GetRequiredService<ILogger<ApiServerAddresses>>())
        {
            Changed = Changed(s),
        });
        services.AddHostedService(s => s.GetRequiredService<ApiServerAddresses>());
        services.AddHostedService(s => s.GetRequiredService<Reflector<NodeDraft>>());
    }

    // Nodes ⇄ Kubernetes: the shards, the Lease and Events
    private static void AddShards(IServiceCollection services, AgentSettings settings)
    {
        services.AddSingleton<StoredShards>();
        services.AddSingleton(s => new Reflector<ShardDraft>(
            ApiAccess.Shards(s.GetRequiredService<ApiClient>()), s.GetRequiredService<StoredShards>(), Changed(s),
            TimeProvider.System, s.GetRequiredService<ILogger<Reflector<ShardDraft>>>(), "shards of the digest",
            listers: static () => 1, listsAfterLoss: true, kept: "shards")
        {
            Following = Changed(s),
            WentBack = s.GetRequiredService<Reflector<NodeDraft>>().ReadByQuorum,
        });
        AddWriters(services, settings);
        services.AddHostedService(s => s.GetRequiredService<DigestWriter>());
        services.AddHostedService(s => s.GetRequiredService<Reflector<ShardDraft>>());
        services.AddHostedService(s => s.GetRequiredService<LeaseWriter>());
    }

    private static void AddWriters(IServiceCollection services, AgentSettings settings)
    {
        services.AddSingleton(s => new DigestWriter(
            s.GetRequiredService<ApiClient>(), s.GetRequiredService<NodeStore>(), s.GetRequiredService<StoredShards>(),
            ShardFormat.Labels(DigestLabels.Of(settings)), Reads(s), TimeProvider.System, s.GetRequiredService<ILogger<DigestWriter>>())
        {
            Observed = state => s.GetService<EventWriter>()?.Record(DigestEvents.Of(state, Unwatched(s)), isAll: state.IsListed),
        });
        services.AddSingleton(s => new LeaseWriter(
            s.GetRequiredService<ApiClient>(), settings.NodeName, () => Obstacle(s), Random.Shared.NextDouble, TimeProvider.System,
            s.GetRequiredService<ILogger<LeaseWriter>>()));
        if (settings.WritesEvents)
        {
            services.AddSingleton(s => new EventWriter(
                s.GetRequiredService<ApiClient>(), settings.NodeName,
                new(TimeProvider.System, Random.Shared.NextDouble, s.GetRequiredService<ILogger<EventWriter>>()),
                Random.Shared.NextDouble, TimeProvider.System, s.GetRequiredService<ILogger<EventWriter>>())
            {
                Subject = DigestEvents.Subject,
            });
            services.AddHostedService(s => s.GetRequiredService<EventWriter>());
        }
    }

    // → Status
    private static void AddStatus(IServiceCollection services, AgentSettings settings)
    {
        services.AddSingleton(s => new DigestPages(() => View(s, settings), AgentVersion.Full, TimeProvider.System));
        services.AddHostedService(s => new StatusServer(
            settings.DigestListen, s.GetRequiredService<DigestPages>().Get, TimeProvider.System,
            s.GetRequiredService<ILogger<StatusServer>>()));
    }

    private static ListWatch<NodeDraft> Nodes(AgentSettings settings, ApiClient client) =>
        new(client, "/api/v1/nodes", new(DigestLabels.Selector(settings)), NamedObject.Node(settings.NodeName), TimeProvider.System);

    private static Action Changed(IServiceProvider services) => () => services.GetRequiredService<DigestWriter>().Signal();

    private static NodeReads Reads(IServiceProvider services) => new(
        () => services.GetRequiredService<Reflector<NodeDraft>>().IsFollowing &&
            services.GetRequiredService<Reflector<ShardDraft>>().IsFollowing,
        services.GetRequiredService<ListWatch<NodeDraft>>().ReadTimelineAsync,
        services.GetRequiredService<Reflector<NodeDraft>>().ReadByQuorum);

    private static string? Obstacle(IServiceProvider services) => LeaseCondition.Obstacle(
        services.GetRequiredService<Reflector<NodeDraft>>().Health, services.GetRequiredService<Reflector<ShardDraft>>().Health,
        services.GetRequiredService<DigestWriter>().State, TimeProvider.System.GetUtcNow());

    private static string? Unwatched(IServiceProvider services) => LeaseCondition.Unwatched(
        services.GetRequiredService<Reflector<NodeDraft>>().Health, services.GetRequiredService<Reflector<ShardDraft>>().Health,
        TimeProvider.System.GetUtcNow());

    private static DigestView View(IServiceProvider services, AgentSettings settings)
    {
        LeaseWriter lease = services.GetRequiredService<LeaseWriter>();
        DigestState state = services.GetRequiredService<DigestWriter>().State with
        {
            Source = services.GetRequiredService<NodeStore>().ResourceVersion,
        };
        return DigestView.Of(
            state, services.GetRequiredService<Reflector<NodeDraft>>().Health, services.GetRequiredService<Reflector<ShardDraft>>().Health,
            TimeProvider.System.GetUtcNow()) with
        {
            Labels = ShardFormat.Labels(DigestLabels.Of(settings)),
            LeaseHolder = lease.Holder,
            LeaseRenewedAt = lease.RenewedAt,
            LeaseProblem = lease.Problem,
        };
    }
}

/// <summary>The label keys that the digest carries: those of nodeSelector, and digest.labels.</summary>
internal static class DigestLabels
{
    public static IEnumerable<string> Of(AgentSettings settings) =>
        settings.Policy.NodeSelector.Requirements.Select(r => r.Key).Concat(settings.DigestLabels).Distinct(StringComparer.Ordinal);

    /// <summary>Names these keys, so that a Node's labels are read; it selects nothing.</summary>
    public static NodeSelector Selector(AgentSettings settings) =>
        new([.. Of(settings).Select(key => new LabelRequirement(key, Negated: false, Values: []))]);

    /// <exception cref="SettingsException">Agents take no longer list.</exception>
    public static void Check(AgentSettings settings)
    {
        int length = ShardFormat.Labels(Of(settings)).Length;
        if (length > ShardFormat.MaxLabels)
        {
            throw new SettingsException(
                [$"digest.labels and the keys of nodeSelector are {length} characters together, and may be {ShardFormat.MaxLabels}"]);
        }
    }
}
