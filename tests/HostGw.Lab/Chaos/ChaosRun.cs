using System.Globalization;
using System.Text;
using HostGw.Lab.Agents;
using HostGw.Lab.Demo;
using HostGw.Lab.Network;

namespace HostGw.Lab.Chaos;

/// <summary>Every fault in its long form, and the table of what was lost.</summary>
internal static class ChaosRun
{
    private const string End = "<!-- end -->";

    /// <param name="words">Faults whose names hold one of them, or a table's name; none: all.</param>
    /// <param name="page">Where the tables go, each between its marks; null: nowhere.</param>
    /// <returns>Whether all held.</returns>
    public static async Task<bool> RunAsync(string[] words, int seed, string? page)
    {
        var screen = new Screen(Console.Out, colours: !Console.IsOutputRedirected);
        bool held = true;
        foreach (FaultTable table in FaultTable.All.Select(table => table.With(words)).Where(table => table.Faults.Count > 0))
            held &= await RunAsync(table, screen, seed, page);
        return held;
    }

    private static async Task<bool> RunAsync(FaultTable table, Screen screen, int seed, string? page)
    {
        screen.Title($"{table.Faults.Count} faults ({table.Name}), seed {seed}. " +
            "Pods of all nodes ping each other in both families throughout.");
        List<FaultResult> results = [];
        await using Stage stage = await Stage.BuildAsync(table.IsTunnelled, isLong: true, seed);
        foreach (Fault fault in table.Faults)
        {
            FaultResult result = await FaultRun.RunAsync(stage, fault);
            results.Add(result);
            screen.Text($"{(result.IsGood ? "✓" : "✗")} {Named(result)}: {Lost(result)}, {Recovery(result)}");
            if (!result.IsGood)
                ShowWhy(screen, stage, result);
        }
        string run = Describe(stage.First, seed);
        Show(screen, run, results);
        if (page is not null)
            Write(page, $"<!-- written by make chaos: {table.Name} -->", run, results);
        return results.TrueForAll(r => r.IsGood);
    }

    private static void ShowWhy(Screen screen, Stage stage, FaultResult result)
    {
        screen.Text($"  {result}");
        foreach (Agent agent in stage.Cluster.Agents)
            screen.Text($"  {agent.Node}:\n    {string.Join("\n    ", agent.Log.LastWords(15))}");
    }

    private static void Show(Screen screen, string run, List<FaultResult> results)
    {
        screen.Text();
        screen.Table([["fault", "pings lost", "recovery", "verdict"], .. results.Select(r => new[] { r.Fault.Name, Lost(r), Recovery(r), r.Verdict })]);
        screen.Text();
        screen.Text(run);
        screen.Text($"chaos: {results.Count(r => r.IsGood)}/{results.Count} faults survived");
    }

    private static void Write(string page, string mark, string run, List<FaultResult> results)
    {
        var table = new StringBuilder($"{mark}\n{run}\n\n| Fault | Pings lost | Recovery | Verdict |\n|---|---|---|---|\n");
        foreach (FaultResult result in results)
            table.Append(CultureInfo.InvariantCulture, $"| {Named(result)} | {Lost(result)} | {Recovery(result)} | {result.Verdict} |\n");
        string text = File.ReadAllText(page);
        int begin = text.IndexOf(mark, StringComparison.Ordinal), end = begin < 0 ? -1 : text.IndexOf(End, begin, StringComparison.Ordinal);
        if (end < 0)
            throw new InvalidOperationException($"{page} has no place for the table, between '{mark}' and '{End}'");
        File.WriteAllText(page, text[..begin] + table + text[end..]);
    }

    private static string Describe(Agent agent, int seed)
    {
        string version = agent.Run("--version").Trim();
        string kernel = Command.Run("uname", "-r").Trim();
        return string.Create(CultureInfo.InvariantCulture, $"Run of {DateTime.UtcNow:yyyy-MM-dd}: hostgw {version}, {Environment.ProcessorCount} cores, kernel {kernel}, seed {seed}.");
    }

    private static string Named(FaultResult result) => result.Fault.Name + (result.Note.Length > 0 ? $" ({result.Note})" : "");

    // The longest silence on one path says how long it was lost.
    private static string Lost(FaultResult result) => string.Create(
        CultureInfo.InvariantCulture,
        $"{result.Pings.Lost} of {result.Pings.Sent}{(result.Pings.Lost > 0 ? $", {Screen.Time(result.Pings.LongestGap)} at most" : "")}");

    private static string Recovery(FaultResult result) => result.Recovery is { } time ? Screen.Time(time) : "never";
}
