using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HostGw.Hosting;

/// <summary>How programs that run until SIGTERM begin and end: the agent, and the digest.</summary>
internal static class ProgramHost
{
    /// <summary>With the log, whose level follows the settings file, and no service of the program itself.</summary>
    public static HostApplicationBuilder NewBuilder(ILoggerFactory loggers, LogLevelReloader logLevel)
    {
        // Empty: the usual builder watches the working directory for configuration that we do not have.
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new() { DisableDefaults = true });
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        builder.Services.Configure<ConsoleLifetimeOptions>(o => o.SuppressStatusMessages = true);
        builder.Services.AddHostedService(_ => logLevel);
        return builder;
    }

    /// <summary>Runs the host until it is stopped.</summary>
    /// <param name="starting">Called once all services are made, before the first of them starts.</param>
    /// <returns>False: a service failed, which stops the host. A non-zero exit code makes kubelet restart the container.</returns>
    public static async Task<bool> RunAsync(IHost host, Action starting, Action stopped, CancellationToken cancellationToken)
    {
        IHostedService[] services = [.. host.Services.GetServices<IHostedService>()];
        starting();
        try
        {
            await host.RunAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Stopped before all services had started.
        }
        stopped();
        return !services.OfType<BackgroundService>().Any(s => s.ExecuteTask is { IsFaulted: true });
    }
}
