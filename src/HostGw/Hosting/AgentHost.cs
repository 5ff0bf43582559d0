using System.Collections.Immutable;
using HostGw.Digest;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Probes;
using HostGw.Reconciliation;
using HostGw.Settings;
using HostGw.Status;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HostGw.Hosting;

/// <summary>The pipeline, wired in the order in which data flows.</summary>
internal static class AgentHost
{
    public static IHost Build(AgentSettings settings, ILoggerFactory loggers, LogLevelReloader logLevel)
    {
        HostApplicationBuilder builder = ProgramHost.NewBuilder(loggers, logLevel);
        IServiceCollection services = builder.Services;
        services.AddSingleton(TimeProvider.System);

        // The host announces changes; listened to before anything is read.
        services.AddSingleton<WakeUp>();
        services.AddSingleton(_ => HostPlatform.Open(settings));
        services.AddHostedService<HostWatch>();

        AddNodes(services, settings);
        if (settings.Policy.Probe)
            AddProbes(services, settings);
        AddPasses(services, settings);
        AddWriters(services, settings);
        AddStatus(services, settings);
        return builder.Build();
    }

    // Kubernetes → Nodes ⇄ the state directory
    private static void AddNodes(IServiceCollection services, AgentSettings settings)
    {
        services.AddSingleton(_ => ApiAccess.Connect(settings));
        services.AddSingleton<NodeStore>();
        if (settings.UsesDigest)
            AddDigest(services, settings);
        else
            AddAllNodes(services, settings);
        if (settings.Policy.FindsServiceCidrs)
        {
            services.AddSingleton(s => new ServiceCidrReader(
                s.GetRequiredService<ApiClient>(), s.GetRequiredService<NodeStore>(),
                NodesChanged(s), TimeProvider.System, s.GetRequiredService<ILogger<ServiceCidrReader>>()));
            services.AddHostedService(s => s.GetRequiredService<ServiceCidrReader>());
        }
        services.AddSingleton(s => new ApiServerAddresses(
            s.GetRequiredService<ApiClient>(), s.GetRequiredService<NodeStore>(), SavedNodes(settings), settings.NodeName,
            TimeProvider.System, s.GetRequiredService<ILogger<ApiServerAddresses>>())
        {
            Changed = NodesChanged(s),
        });
        services.AddHostedService(s => s.GetRequiredService<ApiServerAddresses>());
        services.AddHostedService(s => s.GetRequiredService<Reflector<NodeDraft>>());
        if (settings.UsesDigest)
            services.AddHostedService(s => s.GetRequiredService<Reflector<ShardDraft>>());

        if (SavedNodes(settings) is { } file)
            AddSavedNodes(services, settings, file);
    }

    private static void AddAllNodes(IServiceCollection services, AgentSettings settings)
    {
        services.AddSingleton(s => new Reflector<NodeDraft>(
            ApiAccess.Nodes(settings, s.GetRequiredService<ApiClient>()), s.GetRequiredService<NodeStore>(), NodesChanged(s),
            TimeProvider.System, s.GetRequiredService<ILogger<Reflector<NodeDraft>>>())
        {
            ListCompleted = () => ReadOthersSoon(s),
        });
        services.AddSingleton(s => NodeSource.Of(s.GetRequiredService<Reflector<NodeDraft>>()));
    }

    // The shards and this node's own Node, by a reflector each; no further watch.
    private static void AddDigest(IServiceCollection services, AgentSettings settings)
    {
        services.AddSingleton(s => new DigestNodes(
            s.GetRequiredService<NodeStore>(), settings.NodeName, settings.Policy.NodeSelector,
            () => SavedNodes(settings)?.LastKnown(TimeProvider.System)?.Nodes ?? []));
        services.AddSingleton(s => new Reflector<NodeDraft>(
            ApiAccess.OwnNode(settings, s.GetRequiredService<ApiClient>()), s.GetRequiredService<DigestNodes>().OwnNode, NodesChanged(s),
            TimeProvider.System, s.GetRequiredService<ILogger<Reflector<NodeDraft>>>(), "own Node",
            listers: () => s.GetRequiredService<NodeStore>().Count)
        {
            // The shards' reflector, which watches the same server, checks the timeline for both.
            Period = TimeSpan.FromHours(1),
            WentBack = () => s.GetRequiredService<Reflector<ShardDraft>>().ReadByQuorum(),
        });
        services.AddSingleton(s => new Reflector<ShardDraft>(
            ApiAccess.Shards(s.GetRequiredService<ApiClient>()), s.GetRequiredService<DigestNodes>().Shards, NodesChanged(s),
            TimeProvider.System, s.GetRequiredService<ILogger<Reflector<ShardDraft>>>(), "shards of the digest",
            listers: () => s.GetRequiredService<NodeStore>().Count)
        {
            ListCompleted = () => ReadOthersSoon(s),
            WentBack = () => s.GetRequiredService<Reflector<NodeDraft>>().ReadByQuorum(),
        });
        services.AddSingleton(s => NodeSource.Of(
            s.GetRequiredService<Reflector<ShardDraft>>(), s.GetRequiredService<Reflector<NodeDraft>>()));
        services.AddHostedService(s => new DigestLease(
            s.GetRequiredService<ApiClient>(), s.GetRequiredService<NodeStore>(), NodesChanged(s), Random.Shared.NextDouble,
            TimeProvider.System, s.GetRequiredService<ILogger<DigestLease>>()));
    }

    private static Action NodesChanged(IServiceProvider services) =>
        () => services.GetRequiredService<WakeUp>().Signal(WakeCauses.Nodes);

    private static void ReadOthersSoon(IServiceProvider services)
    {
        services.GetService<ServiceCidrReader>()?.ReadSoon();
        services.GetRequiredService<ApiServerAddresses>().ReadSoon();
    }

    private static SavedNodesFile? SavedNodes(AgentSettings settings) =>
        settings.StateDirectory is { } directory ? new(directory, settings.Policy.NodeSelector) : null;

    private static void AddSavedNodes(IServiceCollection services, AgentSettings settings, SavedNodesFile file)
    {
        services.AddSingleton(s => new SavedNodesFallback(
            file, s.GetRequiredService<NodeStore>(), settings.NodeName,
            NodesChanged(s), TimeProvider.System, s.GetRequiredService<ILogger<SavedNodesFallback>>()));
        services.AddHostedService(s => s.GetRequiredService<SavedNodesFallback>());
        services.AddHostedService(s => new NodeSaver(
            file, s.GetRequiredService<NodeStore>(), settings.NodeName,
            new(s.GetRequiredService<NodeSource>().Health, () => ApiServer(s),
                () => s.GetRequiredService<ApiServerAddresses>().Current),
            TimeProvider.System, s.GetRequiredService<ILogger<NodeSaver>>()));
    }

    // Planning → Probes → Planning, Status
    private static void AddProbes(IServiceCollection services, AgentSettings settings)
    {
        services.AddSingleton(s => new ProbeLoop(
            new(settings.Policy.ProbePort, TimeSpan.FromSeconds(settings.ProbeSeconds)) { Tunnel = settings.Policy.Tunnel },
            report => HostPlatform.OpenProbes(settings, report, s.GetRequiredService<ILogger<ProbeLoop>>()),
            () => s.GetRequiredService<WakeUp>().Signal(WakeCauses.Reachability), TimeProvider.System));
        services.AddHostedService(s => s.GetRequiredService<ProbeLoop>());
        services.AddSingleton(s =>
        {
            ProbeLoop loop = s.GetRequiredService<ProbeLoop>();
            return new Probes(loop.Follow, loop.Read, () => Status(loop.ReadLatest(), loop.Counters));
        });
    }

    // → Planning → Reconciliation → Platform
    private static void AddPasses(IServiceCollection services, AgentSettings settings)
    {
        services.AddSingleton(s => new QuorumReadTrigger(s.GetRequiredService<NodeSource>().ReadByQuorum, TimeProvider.System));
        services.AddSingleton(new PassClock(TimeProvider.System, TimeSpan.FromSeconds(settings.ResyncSeconds)));
        services.AddSingleton(s => new Reconciler(
            s.GetRequiredService<IHostNetwork>(), settings.Policy, settings.Adopt, TimeProvider.System)
        {
            Reachability = s.GetService<Probes>()?.Verdicts ?? (static () => Reachability.Off),
        });
        services.AddSingleton(s => new PassRecorder(
            new(s.GetRequiredService<ILogger<ReconcileLoop>>()), s.GetRequiredService<WakeUp>(), s.GetRequiredService<StatusBoard>(),
            s.GetRequiredService<QuorumReadTrigger>(), s.GetService<EventWriter>(), s.GetService<NodeConditionWriter>(),
            TimeProvider.System)
        {
            PlanCarriedOut = s.GetService<Probes>()?.Follow,
        });
        services.AddHostedService(s => new ReconcileLoop(
            s.GetRequiredService<Reconciler>(), s.GetRequiredService<NodeStore>(), () => ApiServers(s),
            s.GetRequiredService<WakeUp>(), LoopTimes.WithResync(settings.ResyncSeconds), TimeProvider.System,
            s.GetRequiredService<PassClock>(), s.GetRequiredService<PassRecorder>().Record));
    }

    // → Kubernetes: the two things that are written there
    private static void AddWriters(IServiceCollection services, AgentSettings settings)
    {
        if (settings.ClearNetworkUnavailable)
        {
            services.AddSingleton(s => new NodeConditionWriter(
                s.GetRequiredService<ApiClient>(), settings.NodeName, Random.Shared.NextDouble, TimeProvider.System,
                s.GetRequiredService<ILogger<NodeConditionWriter>>()));
            services.AddHostedService(s => s.GetRequiredService<NodeConditionWriter>());
        }
        if (settings.WritesEvents)
        {
            services.AddSingleton(s => new EventWriter(
                s.GetRequiredService<ApiClient>(), settings.NodeName,
                new(TimeProvider.System, Random.Shared.NextDouble, s.GetRequiredService<ILogger<EventWriter>>()),
                Random.Shared.NextDouble, TimeProvider.System, s.GetRequiredService<ILogger<EventWriter>>()));
            services.AddHostedService(s => s.GetRequiredService<EventWriter>());
        }
    }

    // → Status
    private static void AddStatus(IServiceCollection services, AgentSettings settings)
    {
        services.AddSingleton(s => new StatusBoard(s.GetRequiredService<PassClock>()));
        services.AddSingleton(s => new StatusPages(
            s.GetRequiredService<StatusBoard>(), AgentVersion.Full, settings.NodeName,
            () => Health(s.GetRequiredService<NodeSource>().Health(), s.GetRequiredService<NodeStore>()),
            s.GetService<Probes>()?.Status ?? (static () => ProbeStatus.Off), TimeProvider.System)
        {
            GuardDrops = s.GetRequiredService<IHostNetwork>().GuardDrops,
        });
        services.AddHostedService(s => new StatusServer(
            settings.Listen, s.GetRequiredService<StatusPages>().Get, TimeProvider.System, s.GetRequiredService<ILogger<StatusServer>>()));
    }

    // Before the first connection, the address that was saved: a route over it would keep us from ever reaching it.
    private static Ip ApiServer(IServiceProvider services) =>
        Ip.From(services.GetRequiredService<ApiClient>().RemoteAddress) is { IsNone: false } connected
            ? connected
            : services.GetService<SavedNodesFallback>()?.ApiServer ?? default;

    // All that the next connection may use: a route over one would cut this node off, whichever it is connected to now.
    private static IReadOnlyList<Ip> ApiServers(IServiceProvider services) => ApiAccess.Addresses(
        ApiServer(services), services.GetRequiredService<ApiClient>(), services.GetRequiredService<ApiServerAddresses>().ForPass);

    private static ProbeStatus Status(Reachability latest, ProbeCounters counters)
    {
        (ImmutableArray<long> counts, double seconds) = counters.RoundTrips;
        return new(latest, counters.Datagrams, new(counts, seconds) { Bounds = ProbeCounters.Bounds });
    }

    private static ApiHealth Health(ReflectorHealth reflector, NodeStore nodes) =>
        new(reflector.Problem, nodes.ResourceVersion, reflector.ListedAt, reflector.ReceivedAt, reflector.Failures);

    /// <summary>What the others have of the reflectors that bring the nodes.</summary>
    private sealed record NodeSource(Action ReadByQuorum, Func<ReflectorHealth> Health)
    {
        public static NodeSource Of(Reflector<NodeDraft> nodes) => new(nodes.ReadByQuorum, () => nodes.Health);

        public static NodeSource Of(Reflector<ShardDraft> shards, Reflector<NodeDraft> own) => new(
            () =>
            {
                own.ReadByQuorum();
                shards.ReadByQuorum();
            },
            () => shards.Health.And(own.Health));
    }

    /// <summary>What the others have of the probes, where there are any: unless the settings turn them off.</summary>
    private sealed record Probes(Action<Plan, ImmutableArray<Ip>> Follow, Func<Reachability> Verdicts, Func<ProbeStatus> Status);
}

/// <summary>Passes the report of every pass to the log, the status, Events, the quorum reads and the Node's condition.</summary>
/// <param name="events">Null: the settings turn them off.</param>
/// <param name="condition">Null: the settings turn it off.</param>
internal sealed class PassRecorder(
    PassLog log, WakeUp wakeUp, StatusBoard board, QuorumReadTrigger quorumReads, EventWriter? events, NodeConditionWriter? condition,
    TimeProvider time)
{
    /// <summary>
    /// Takes the plan of every pass that could read the host, once its changes are made, and the probe addresses that the host then
    /// holds; null: nobody wants it.
    /// </summary>
    public Action<Plan, ImmutableArray<Ip>>? PlanCarriedOut { get; init; }

    public void Record(PassReport report)
    {
        if (report.Plan is { } plan)
            PlanCarriedOut?.Invoke(plan, report.HeldProbeAddresses);
        log.Write(report);
        board.Record(report, wakeUp.FirstSignalAt is { } at ? time.GetElapsedTime(at) : null);
        events?.Record(report);
        quorumReads.After(report);
        condition?.Record(report, isReady: StatusBoard.NotReady(report).Count == 0);
    }
}
