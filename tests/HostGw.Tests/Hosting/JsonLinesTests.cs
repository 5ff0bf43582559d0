using System.Text.Json;
using HostGw.Hosting;
using HostGw.Planning;
using Microsoft.Extensions.Logging;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Extensions.Logging;
using Serilog.Formatting;
using ILogger = Microsoft.Extensions.Logging.ILogger;

namespace HostGw.Tests.Hosting;

public class JsonLinesTests
{
    [Fact]
    public void A_line_has_time_level_id_sentence_and_values()
    {
        string line = Written(new JsonLines(), logger => logger.RouteAdded(Prefix.Parse("10.244.2.0/24"), "via 10.0.0.2"));

        Assert.Equal(
            """{"time":"2026-01-02T03:04:05.678Z","level":"information","id":301,"message":"Added route 10.244.2.0/24 via 10.0.0.2","destination":"10.244.2.0/24","nextHop":"via 10.0.0.2"}""" + "\n",
            line);
    }

    [Fact]
    public void Numbers_stay_numbers()
    {
        string line = Written(new JsonLines(), logger => logger.RoutesChanged(1.5, "nodes", 1, 2, 3));

        Assert.Contains("\"milliseconds\":1.5,\"causes\":\"nodes\",\"added\":1,\"corrected\":2,\"removed\":3}", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("say \"hello\" \\ there")]
    [InlineData("two\nlines\r\tand a tab")]
    [InlineData("\0\u0001\u001b[31mred")]
    [InlineData("Zürich 日本 🚀 \u2028")]
    [InlineData("{Braces} {0} {{}}")]
    [InlineData("\",\"level\":\"error")]
    public void Whatever_the_text_the_line_is_one_JSON_object_that_gives_it_back(string text)
    {
        string line = Written(new JsonLines(), logger => logger.ProblemAppeared(text));

        Assert.Equal(1, line.Count(c => c == '\n'));
        JsonElement root = JsonDocument.Parse(line).RootElement;
        Assert.Equal(text, root.GetProperty("message").GetString());
        Assert.Equal(text, root.GetProperty("problem").GetString());
        Assert.Equal("warning", root.GetProperty("level").GetString());
    }

    [Fact]
    public void An_exception_is_part_of_the_line()
    {
        string line = WrittenBySerilog(new JsonLines(), logger => logger.Error(new InvalidOperationException("what\nnow"), "It broke"));

        JsonElement root = JsonDocument.Parse(line).RootElement;
        Assert.Equal("System.InvalidOperationException: what\nnow", root.GetProperty("exception").GetString());
        Assert.False(root.TryGetProperty("id", out _));
        Assert.Equal(1, line.Count(c => c == '\n'));
    }

    [Fact]
    public void A_sentence_of_a_library_that_names_a_value_twice_is_still_valid()
    {
        string line = WrittenBySerilog(new JsonLines(), logger => logger.Warning("{A} and {A}", 1, 2));

        JsonDocument.Parse(line);
        Assert.Equal(1, line.Split("\"a\":").Length - 1);
    }

    [Fact]
    public void Text_for_people_is_one_line_that_no_name_can_break()
    {
        string line = Written(new TextLines(), logger => logger.ProblemAppeared("node \u001b[2J\nERR all is lost"));

        Assert.Equal("2026-01-02T03:04:05.678Z WRN node \\u{1b}[2J\\u{a}ERR all is lost\n", line);
    }

    [Fact]
    public void An_exception_follows_its_text()
    {
        string line = WrittenBySerilog(new TextLines(), logger => logger.Error(new InvalidOperationException("why"), "It broke"));

        Assert.Equal("2026-01-02T03:04:05.678Z ERR It broke\nSystem.InvalidOperationException: why\n", line);
    }

    private static string Written(ITextFormatter form, Action<ILogger> log) => WrittenBySerilog(form, serilog =>
    {
        using var factory = new SerilogLoggerFactory(serilog);
        log(factory.CreateLogger("test"));
    });

    private static string WrittenBySerilog(ITextFormatter form, Action<Logger> log)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using Logger serilog = new LoggerConfiguration().WriteTo.Sink(new Sink(form, output)).CreateLogger();
        log(serilog);
        return output.ToString();
    }

    // Every event at the same moment.
    private sealed class Sink(ITextFormatter form, TextWriter output) : ILogEventSink
    {
        public void Emit(LogEvent logEvent) => form.Format(
            new(new(2026, 1, 2, 5, 4, 5, 678, TimeSpan.FromHours(2)), logEvent.Level, logEvent.Exception, logEvent.MessageTemplate,
                logEvent.Properties.Select(p => new LogEventProperty(p.Key, p.Value))),
            output);
    }
}
