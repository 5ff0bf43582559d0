using HostGw.Settings;
using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Extensions.Logging;
using Serilog.Formatting;

namespace HostGw;

/// <summary>Diagnostics go to stderr: text for people on a terminal, JSON in a container. Times are UTC.</summary>
internal static class Logging
{
    /// <param name="level">May be switched at any time.</param>
    public static ILoggerFactory CreateFactory(AgentSettings settings, LoggingLevelSwitch level)
    {
        bool text = settings.LogFormat == LogFormat.Text || (settings.LogFormat == LogFormat.Auto && !Console.IsErrorRedirected);
        LoggerConfiguration configuration = new LoggerConfiguration()
            .MinimumLevel.ControlledBy(level)
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .MinimumLevel.Override("System", LogEventLevel.Warning)
            .WriteTo.Console(text ? new TextLines() : new JsonLines(), standardErrorFromLevel: LogEventLevel.Verbose);
        return new SerilogLoggerFactory(configuration.CreateLogger(), dispose: true);
    }

    public static LogEventLevel Level(LogLevel level) => level switch
    {
        LogLevel.Trace => LogEventLevel.Verbose,
        LogLevel.Debug => LogEventLevel.Debug,
        LogLevel.Warning => LogEventLevel.Warning,
        LogLevel.Error => LogEventLevel.Error,
        _ => LogEventLevel.Information,
    };
}
