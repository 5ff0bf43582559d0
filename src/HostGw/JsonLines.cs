using System.Globalization;
using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Display;
using Serilog.Formatting.Json;
using Serilog.Parsing;

namespace HostGw;

/// <summary>One JSON object a line: time, level, event id, the sentence, and the values in it.</summary>
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

    // Serilog.Extensions.Logging keeps an EventId as {Id, Name}, and leaves out what is not set.
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
