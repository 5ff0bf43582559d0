using System.CommandLine;
using HostGw.Hosting;
using HostGw.Planning;
using HostGw.Settings;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serilog.Core;
using ILogger = Microsoft.Extensions.Logging.ILogger;

namespace HostGw.Cli;

/// <summary>Runs the agent until it receives SIGTERM. Routes and rules stay in place.</summary>
internal static class AgentCommand
{
    public const string Name = "agent";

    public static Command Create() => CommandLine.Create(
        Name, "Watch the cluster's Nodes and keep this host's routes, NAT rule and forwarding right.", UsedBy.Agent,
        RunAsync);

    private static async Task<int> RunAsync(AgentSettings settings, ParseResult flags, CancellationToken cancellationToken)
    {
        SocketThread.HandlesWhatItReceives();
        LoggingLevelSwitch level = new(Logging.Level(settings.LogLevel));
        using ILoggerFactory loggers = Logging.CreateFactory(settings, level);
        ILogger logger = loggers.CreateLogger("HostGw");
        HostPlatform.RequireRights();
        AgentTurn turn = new(() => HostPlatform.TryTakeTurn(settings), () => HostPlatform.Holder(settings), TimeProvider.System, logger);
        (bool isOurs, IDisposable? heldLock) = await turn.WaitAsync(cancellationToken);
        using IDisposable? onlyAgent = heldLock;
        if (!isOurs)
            return cancellationToken.IsCancellationRequested ? ExitCodes.Done : ExitCodes.Failed;

        using IHost host = AgentHost.Build(settings, loggers, new(
            SettingsFile.PathOf(flags, CommandLine.EnvironmentVariables()),
            () => SettingsReader.Read(UsedBy.Agent, flags, CommandLine.EnvironmentVariables()).LogLevel,
            level, TimeProvider.System, loggers.CreateLogger<LogLevelReloader>()));
        IHostedService[] services = [.. host.Services.GetServices<IHostedService>()];
        logger.Started(
            AgentVersion.Full, settings.NodeName, settings.Policy.NextHop.ToString(), ApiAccess.Configuration(settings).Server.ToString());
        if (settings.Policy.ClusterCidrs.IsEmpty)
            logger.AnyPrivatePrefix();
        if (settings.Policy.Nat is { Enabled: true, Source: NatSource.Any })
            logger.NatRewritesHost();
        try
        {
            await host.RunAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Stopped before all services had started.
        }
        logger.Stopped();

        // A failed service stops the host: a non-zero exit code makes kubelet restart the container.
        return services.OfType<BackgroundService>().Any(s => s.ExecuteTask is { IsFaulted: true }) ? ExitCodes.Failed : ExitCodes.Done;
    }
}
