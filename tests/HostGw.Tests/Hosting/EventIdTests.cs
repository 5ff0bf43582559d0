using System.Reflection;
using Microsoft.Extensions.Logging;

namespace HostGw.Tests.Hosting;

public class EventIdTests
{
    private static readonly string[] FieldsOfEveryLine = ["time", "level", "id", "message", "exception"];

    private static LoggerMessageAttribute[] Sentences { get; } =
        [.. typeof(Log).GetMethods(BindingFlags.Static | BindingFlags.Public).Select(m => m.GetCustomAttribute<LoggerMessageAttribute>()).OfType<LoggerMessageAttribute>()];

    [Fact]
    public void Event_ids_are_unique()
    {
        Assert.NotEmpty(Sentences);
        Assert.Distinct(Sentences.Select(s => s.EventId));
    }

    [Fact]
    public void No_value_in_a_sentence_hides_a_field_of_the_line() =>
        Assert.DoesNotContain(Sentences, s => FieldsOfEveryLine.Any(f => s.Message.Contains($"{{{f}}}", StringComparison.OrdinalIgnoreCase)));
}
