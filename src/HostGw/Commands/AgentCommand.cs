using System.CommandLine;
using HostGw.Planning;
using HostGw.Settings;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HostGw.Commands;

/// <summary>Runs until told to stop. What it made stays in place.</summary>
internal static class AgentCommand
{
    public static Command Create() => CommandLine.Create(
        "agent", "Watch the cluster's Nodes and keep this host's routes, NAT rule and forwarding right.", UsedBy.Agent,
        (settings, _, cancellationToken) => RunAsync(settings, cancellationToken));

    private static async Task<int> RunAsync(AgentSettings settings, CancellationToken cancellationToken)
    {
        using ILoggerFactory loggers = Logging.CreateFactory(settings);
        ILogger logger = loggers.CreateLogger("HostGw");
        HostPlatform.RequireRights();
        using IDisposable? onlyAgent = await WaitForTurnAsync(settings, logger, cancellationToken);
        if (cancellationToken.IsCancellationRequested)
            return ExitCodes.Done;

        using IHost host = AgentHost.Build(settings, loggers);
        IHostedService[] services = [.. host.Services.GetServices<IHostedService>()];
        logger.Started(AgentVersion.Full, settings.NodeName, settings.Policy.NextHop.ToString(), ApiAccess.Configuration(settings).Server.ToString());
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
            // Told to stop before all of it had started.
        }
        logger.Stopped();

        // A service that failed has stopped the host; kubelet must see that.
        return services.OfType<BackgroundService>().Any(s => s.ExecuteTask is { IsFaulted: true }) ? ExitCodes.Failed : ExitCodes.Done;
    }

    private static async Task<IDisposable?> WaitForTurnAsync(AgentSettings settings, ILogger logger, CancellationToken cancellationToken)
    {
        bool said = false;
        for (int strangers = 0; !cancellationToken.IsCancellationRequested;)
        {
            if (HostPlatform.TryTakeTurn(settings) is { } acquired)
                return acquired;

            (int pid, bool isAgent) = HostPlatform.Holder(settings);
            if (isAgent && !said)
                logger.WaitingForOtherAgent(pid);
            said |= isAgent;
            // Once may be an agent that is just beginning or ending.
            strangers = isAgent ? 0 : strangers + 1;
            if (strangers > 1)
            {
                logger.LockTakenByStranger(pid);
                return null;
            }
            await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return null;
    }
}
