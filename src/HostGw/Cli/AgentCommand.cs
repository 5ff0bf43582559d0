using System.CommandLine;
using HostGw.Hosting;
using HostGw.Planning;
using HostGw.Settings;
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
        AgentTurn turn = new(
            () => HostPlatform.TryTakeTurn(settings, logger.LockIncomplete), () => HostPlatform.Holder(settings), TimeProvider.System,
            logger);
        (bool isOurs, IDisposable? heldLock) = await turn.WaitAsync(cancellationToken);
        using IDisposable? onlyAgent = heldLock;
        if (!isOurs)
            return cancellationToken.IsCancellationRequested ? ExitCodes.Done : ExitCodes.Failed;

        using IHost host = AgentHost.Build(settings, loggers, CommandLine.FollowLogLevel(UsedBy.Agent, flags, level, loggers));
        return await ProgramHost.RunAsync(host, () => LogStart(settings, logger), logger.Stopped, cancellationToken)
            ? ExitCodes.Done
            : ExitCodes.Failed;
    }

    private static void LogStart(AgentSettings settings, ILogger logger)
    {
        logger.Started(
            AgentVersion.Full, settings.NodeName, settings.Policy.NextHop.ToString(), ApiAccess.Configuration(settings).Server.ToString());
        if (settings.Policy.ClusterCidrs.IsEmpty)
            logger.AnyPrivatePrefix();
        if (settings.Policy.Nat is { Enabled: true, Source: NatSource.Any })
            logger.NatRewritesHost();
    }
}
