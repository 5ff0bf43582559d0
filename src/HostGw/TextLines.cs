using Serilog.Events;
using Serilog.Formatting;

namespace HostGw;

/// <summary>One line for people: time, level, the sentence; then the exception, if there is one.</summary>
internal sealed class TextLines : ITextFormatter
{
    public void Format(LogEvent logEvent, TextWriter output)
    {
        // A name from the API server must not end the line and begin one of its own.
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
