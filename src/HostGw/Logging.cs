using HostGw.Settings;
using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Extensions.Logging;

namespace HostGw;

/// <summary>Diagnostics go to stderr: text for people on a terminal, JSON in a container. Times are UTC.</summary>
internal static class Logging
{
    private const string Template = "{Utc} {Level:u3} {Message:lj}{NewLine}{Exception}";

    public static ILoggerFactory CreateFactory(AgentSettings settings)
    {
        LoggerConfiguration configuration = new LoggerConfiguration()
            .MinimumLevel.Is(Level(settings.LogLevel))
            .MinimumLevel.Override("Microsoft", LogEventLevel.Warning)
            .MinimumLevel.Override("System", LogEventLevel.Warning)
            .Enrich.With<UtcTime>();
        bool text = settings.LogFormat == LogFormat.Text || (settings.LogFormat == LogFormat.Auto && !Console.IsErrorRedirected);
        configuration = text
            ? configuration.WriteTo.Console(outputTemplate: Template, standardErrorFromLevel: LogEventLevel.Verbose, formatProvider: null)
            : configuration.WriteTo.Console(new JsonLines(), standardErrorFromLevel: LogEventLevel.Verbose);
        return new SerilogLoggerFactory(configuration.CreateLogger(), dispose: true);
    }

    private static LogEventLevel Level(LogLevel level) => level switch
    {
        LogLevel.Trace => LogEventLevel.Verbose,
        LogLevel.Debug => LogEventLevel.Debug,
        LogLevel.Warning => LogEventLevel.Warning,
        LogLevel.Error => LogEventLevel.Error,
        _ => LogEventLevel.Information,
    };

    private sealed class UtcTime : ILogEventEnricher
    {
        public void Enrich(LogEvent logEvent, ILogEventPropertyFactory propertyFactory) =>
            logEvent.AddPropertyIfAbsent(new("Utc", new ScalarValue(JsonLines.Utc(logEvent))));
    }
}
