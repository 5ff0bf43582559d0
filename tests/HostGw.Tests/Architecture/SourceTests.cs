using System.Globalization;
using System.Text.RegularExpressions;

namespace HostGw.Tests.Architecture;

public partial class SourceTests
{
    private const int MaxLines = 400;
    private const int MaxColumns = 140;

    [Fact]
    public void Event_ids_are_unique()
    {
        int[] ids = [.. EventIds().Select(e => e.Id)];
        Assert.NotEmpty(ids);
        Assert.Empty(ids.GroupBy(id => id).Where(g => g.Count() > 1).Select(g => g.Key));
    }

    // 1xx nodes, 2xx passes, 3xx routes, 4xx NAT, 5xx status, 6xx CNI, 7xx probes, 8xx digest, 9xx lifetime.
    [Fact]
    public void Event_ids_are_of_a_known_range() =>
        Assert.DoesNotContain(EventIds(), e => e.Id / 100 is not (1 or 2 or 3 or 4 or 5 or 6 or 7 or 8 or 9));

    [Fact]
    public void Every_sentence_of_the_log_is_in_a_log_file() =>
        Assert.Empty(Repository.Sources().Where(f => !f.Path.StartsWith("Log.", StringComparison.Ordinal) && f.Text.Contains("[LoggerMessage(", StringComparison.Ordinal)).Select(f => f.Path));

    [Fact]
    public void No_file_is_so_long_that_it_must_be_two() =>
        Assert.Empty(Repository.Sources().Where(f => f.Text.Split('\n').Length > MaxLines).Select(f => f.Path));

    [Fact]
    public void No_line_is_too_long() => Assert.Empty(
        from file in Repository.Sources()
        from line in file.Text.Split('\n')
        where line.Length > MaxColumns
        select $"{file.Path}: {line.Trim()}");

    [Theory]
    [InlineData(@"\bDateTime(Offset)?\.(Now|UtcNow|Today)\b", "time comes from a TimeProvider")]
    [InlineData(@"#(region|if)\b", "no regions, and both platforms compile in every build")]
    [InlineData(@"\bcatch\s*(\(Exception( \w+)?\)\s*)?\{\s*\}", "no failure is swallowed without a word")]
    [InlineData(@"\b(class|record|struct|interface|enum) \w*(Manager|Helper|Util|Utils)\b", "names say what a thing is")]
    [InlineData(@"\bThread\.Sleep\b", "a delay takes a token")]
    [InlineData(
        @"\bKubernetesJson\b|\bk8s\.Kubernetes\b(?!\.)|\bKubernetesClientConfiguration\b[^;]*\bJsonSerializerOptions\b",
        "it keeps all models of KubernetesClient alive: 13 MB of the file and 10 MB of memory")]
    public void No_source_holds(string pattern, string because) =>
        Assert.All(Repository.Sources(), file => Assert.False(Regex.IsMatch(file.Text, pattern), $"{file.Path}: {because}"));

    // Nothing from the API may reach a shell: two files run programs, and pass their arguments as a list.
    [Fact]
    public void Two_files_run_programs() => Assert.Equal(
        ["Kubernetes/ExecPlugin.cs", "Platform/Linux/Iptables/IptablesPrograms.cs"],
        Repository.Sources()
            .Where(f => f.Text.Contains("Process.Start(", StringComparison.Ordinal) || f.Text.Contains("ProcessStartInfo", StringComparison.Ordinal))
            .Select(f => f.Path).Order(StringComparer.Ordinal));

    // Each of these roots the JSON metadata of all models of the library: 13 to 15 MB of the file.
    [Theory]
    [InlineData(@"\bKubernetesJson\b")]
    [InlineData(@"\bnew Kubernetes\(|\bk8s\.Kubernetes\b")]
    [InlineData(@"\bKubernetesClientConfiguration\b")]
    public void No_source_names_what_keeps_all_models_of_the_library(string pattern) =>
        Assert.DoesNotContain(Repository.Sources(), file => Regex.IsMatch(file.Text, pattern));

    private static IEnumerable<(string File, int Id)> EventIds() =>
        from file in Repository.Sources()
        from match in EventId().Matches(file.Text)
        select (file.Path, int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));

    [GeneratedRegex(@"\[LoggerMessage\(\s*(?:EventId\s*=\s*)?(\d+)")]
    private static partial Regex EventId();
}
