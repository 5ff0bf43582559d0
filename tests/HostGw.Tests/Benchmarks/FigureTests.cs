using System.Text.Json;
using HostGw.Benchmarks.Figures;

namespace HostGw.Tests.Benchmarks;

public class FigureTests
{
    private static readonly Run ThisRun = new(
        new("a processor", 2, "6.18.0", 8_000_000_000, 0.5), "0.1.0+abc", new Dictionary<string, string> { ["AOT"] = "0.1.0+def" }, DateTimeOffset.UnixEpoch);

    [Theory]
    [InlineData(new double[] { 3 }, 3, 3)]
    [InlineData(new double[] { 4, 1, 3, 2 }, 2.5, 4)]
    [InlineData(new double[] { 5, 1, 9 }, 5, 9)]
    public void Half_of_the_values_are_below_the_median(double[] values, double median, double p99)
    {
        var samples = new Samples(values);
        Assert.Equal((median, p99), (samples.Median, samples.P99));
    }

    [Fact]
    public void Of_two_hundred_values_two_exceed_no_ninety_ninth_percentile()
    {
        var samples = new Samples(Enumerable.Range(1, 200).Select(i => (double)i));
        Assert.Equal((198, 200, 200), (samples.P99, samples.Max, samples.Count));
    }

    [Fact]
    public void Nothing_measured_is_no_figure() => Assert.Throws<ArgumentException>(() => new Samples());

    [Theory]
    [InlineData(0, "0.00")]
    [InlineData(0.0456, "0.046")]
    [InlineData(1.234, "1.23")]
    [InlineData(45.67, "45.7")]
    [InlineData(12345.6, "12,346")]
    public void Numbers_have_three_digits_that_count(double value, string text) => Assert.Equal(text, FigureTable.Number(value));

    [Theory]
    [InlineData(20, true)]
    [InlineData(21, false)]
    public void A_budget_for_the_slowest_of_a_hundred_looks_at_that(double slowest, bool holds)
    {
        var figure = new Figure(Names.Join, "ms", new([.. Enumerable.Repeat(1.0, 98), slowest, slowest])) { Build = "AOT", Size = 5_000 };
        Assert.Equal(holds, figure.Holds);
        Assert.Null((figure with { Size = 7 }).Holds);
    }

    [Theory]
    [InlineData("AOT", 0.75)]
    [InlineData("ReadyToRun", 1.5)]
    public void Builds_have_budgets_of_their_own(string build, double limit) =>
        Assert.Equal(limit, new Figure(Names.ColdStartRatio, "x", new(1)) { Build = build, Size = 4_500 }.Budget?.Limit);

    [Theory]
    [InlineData(0.7, true)]
    [InlineData(0.69, false)]
    public void A_budget_may_be_the_least_that_a_figure_is(double ratio, bool holds)
    {
        var figure = new Figure(Names.TunnelThroughputRatio, "x", new(ratio));
        Assert.Equal(holds, figure.Holds);
        Assert.Contains(">= 0.70", FigureTable.Write([figure]), StringComparison.Ordinal);
        using var output = new MemoryStream();
        BenchJson.Write(output, ThisRun, [figure]);
        JsonElement written = JsonDocument.Parse(output.ToArray()).RootElement.GetProperty("figures")[0].GetProperty("budget");
        Assert.Equal((0.7, holds), (written.GetProperty("atLeast").GetDouble(), written.GetProperty("holds").GetBoolean()));
    }

    [Fact]
    public void A_table_says_what_was_missed() => Assert.Equal(
        """
                            build           N  median  p99  max  unit  samples  beside it  budget
        cold start          AOT         4,500     300  500  500  ms       3.00  curl 100
        cold start / floor  ReadyToRun  4,500    1.61            x                         <= 1.50  MISSED

        """.ReplaceLineEndings("\n"),
        FigureTable.Write(
        [
            new(Names.ColdStart, "ms", new(300, 200, 500)) { Build = "AOT", Size = 4_500, Peers = [new("curl", 100)] },
            new(Names.ColdStartRatio, "x", new(1.6123)) { Build = "ReadyToRun", Size = 4_500 },
        ]));

    [Fact]
    public void Programs_read_the_same()
    {
        using var output = new MemoryStream();
        BenchJson.Write(output, ThisRun, [new(Names.ColdStartRatio, "x", new(1.6, 1.4)) { Build = "AOT", Size = 4_500, Peers = [new("curl", 100)] }]);
        JsonElement root = JsonDocument.Parse(output.ToArray()).RootElement;
        Assert.Equal("0.1.0+def", root.GetProperty("builds").GetProperty("AOT").GetString());
        Assert.Equal((1, "a processor"), (root.GetProperty("schemaVersion").GetInt32(), root.GetProperty("machine").GetProperty("cpu").GetString()));
        Assert.Equal(
            """{"name":"cold start / floor","unit":"x","build":"AOT","size":4500,"median":1.5,"p99":1.6,"max":1.6,"samples":2,"peers":{"curl":100},"budget":{"of":"median","atMost":0.75,"holds":false}}""",
            JsonSerializer.Serialize(root.GetProperty("figures")[0]));
    }
}
