using System.Globalization;
using HostGw.Settings;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Extensions.Logging;
using Serilog.Formatting;
using Serilog.Formatting.Display;
using Serilog.Formatting.Json;
using Serilog.Parsing;

namespace HostGw.Hosting;

/// <summary>The log, on stderr: text on a terminal, JSON in a container. Times are UTC.</summary>
internal static class Logging
{
    /// <param name="level">May change at any time.</param>
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

/// <summary>One line of text: time, level and message; then the exception, if there is one.</summary>
internal sealed class TextLines : ITextFormatter
{
    public void Format(LogEvent logEvent, TextWriter output)
    {
        // A name from the API server must not end the line and start a forged one.
        output.WriteLine($"{JsonLines.Utc(logEvent)} {Level(logEvent.Level)} {Quoted.Visible(JsonLines.Sentence(logEvent))}");
        if (logEvent.Exception is { } exception)
            output.WriteLine(exception);
    }

    private static string Level(LogEventLevel level) => level switch
    {
        LogEventLevel.Verbose => "trc",
        LogEventLevel.Debug => "dbg",
        LogEventLevel.Information => "inf",
        LogEventLevel.Warning => "WRN",
        _ => "ERR",
    };
}

/// <summary>One JSON object per line: time, level, event id, message and the values in it.</summary>
internal sealed class JsonLines : ITextFormatter
{
    private static readonly MessageTemplateTextFormatter Text = new("{Message:lj}", CultureInfo.InvariantCulture);
    private readonly JsonValueFormatter _values = new(typeTagName: null);

    public static string Utc(LogEvent logEvent) =>
        logEvent.Timestamp.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    public static string Sentence(LogEvent logEvent)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        Text.Format(logEvent, text);
        return text.ToString();
    }

    public void Format(LogEvent logEvent, TextWriter output)
    {
        output.Write('{');
        Field(output, "time", Utc(logEvent), first: true);
        Field(output, "level", Level(logEvent.Level));
        if (Id(logEvent) is { } id)
            output.Write(string.Create(CultureInfo.InvariantCulture, $",\"id\":{id}"));
        Field(output, "message", Sentence(logEvent));
        foreach (PropertyToken token in logEvent.MessageTemplate.Tokens.OfType<PropertyToken>().DistinctBy(t => t.PropertyName))
        {
            if (!logEvent.Properties.TryGetValue(token.PropertyName, out LogEventPropertyValue? value))
                continue;
            output.Write(',');
            JsonValueFormatter.WriteQuotedJsonString($"{char.ToLowerInvariant(token.PropertyName[0])}{token.PropertyName[1..]}", output);
            output.Write(':');
            _values.Format(value, output);
        }
        if (logEvent.Exception is { } exception)
            Field(output, "exception", exception.ToString());
        output.WriteLine('}');
    }

    // Serilog.Extensions.Logging stores an EventId as {Id, Name} and omits what is not set.
    private static int? Id(LogEvent logEvent) =>
        logEvent.Properties.TryGetValue("EventId", out LogEventPropertyValue? found) && found is StructureValue eventId &&
        eventId.Properties.FirstOrDefault(p => p.Name == "Id")?.Value is ScalarValue { Value: int id } ? id : null;

    private static void Field(TextWriter output, string name, string value, bool first = false)
    {
        output.Write(first ? $"\"{name}\":" : $",\"{name}\":");
        JsonValueFormatter.WriteQuotedJsonString(value, output);
    }

    private static string Level(LogEventLevel level) => level switch
    {
        LogEventLevel.Verbose => "trace",
        LogEventLevel.Debug => "debug",
        LogEventLevel.Information => "information",
        LogEventLevel.Warning => "warning",
        _ => "error",
    };
}

/// <summary>Follows log.level in the settings file, so that an agent can be debugged without a restart.</summary>
/// <param name="read">Reads all settings again.</param>
internal sealed class LogLevelReloader(
    string path, Func<LogLevel> read, LoggingLevelSwitch current, TimeProvider time, ILogger<LogLevelReloader> logger) : BackgroundService
{
    // Polled, not watched: kubelet swaps a symbolic link, inotify instances may run out, and reading a small file is cheap.
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private LogLevel? _level;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        byte[]? seen = Content();
        Follow(isChange: false);
        while (true)
        {
            await Task.Delay(Interval, time, stoppingToken);
            byte[]? content = Content();
            if (content.AsSpan().SequenceEqual(seen) && (content is null) == (seen is null))
                continue;
            seen = content;
            Follow(isChange: true);
        }
    }

    private void Follow(bool isChange)
    {
        try
        {
            LogLevel now = read(), before = _level ?? now;
            _level = now;
            // Logged at whichever of the two levels shows it.
            if (now > before)
                logger.LogLevelChanged(Name(now), Name(before), path);
            current.MinimumLevel = Logging.Level(now);
            if (now < before)
                logger.LogLevelChanged(Name(now), Name(before), path);
            else if (now == before && isChange)
                logger.SettingsFileChanged(path);
        }
        catch (SettingsException e)
        {
            logger.SettingsFileWrong(path, string.Join("; ", e.Errors));
        }
    }

    private static string Name(LogLevel level) => level.ToString().ToLowerInvariant();

    private byte[]? Content()
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // Reading the settings reports why.
        }
    }
}
