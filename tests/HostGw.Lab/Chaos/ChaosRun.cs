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

    /// <summary>Why these words or this page cannot be used; null: they can.</summary>
    public static string? Complaint(string[] words, string? page)
    {
        if (words.FirstOrDefault(word => Chosen([word]).Length == 0) is { } wrong)
            return $"no fault has '{wrong}' in its name, as the tables of docs/reliability.md have them";
        if (page is null)
            return null;
        if (!File.Exists(page))
            return $"there is no page {page}";
        string text = File.ReadAllText(page);
        return Chosen(words).FirstOrDefault(t => Place(text, t) is null) is { } lost
            ? $"{page} has no place for the table, between '{Mark(lost)}' and '{End}'"
            : null;
    }

    /// <param name="words">Faults whose names hold one of them, or a table's name; none: all.</param>
    /// <param name="page">Where the tables go, each between its marks; null: nowhere.</param>
    /// <returns>Whether all held.</returns>
    public static async Task<bool> RunAsync(string[] words, int seed, string? page)
    {
        var screen = new Screen(Console.Out, colours: !Console.IsOutputRedirected);
        bool held = true;
        foreach (FaultTable table in Chosen(words))
            held &= await RunAsync(table, screen, seed, page);
        return held;
    }

    private static FaultTable[] Chosen(string[] words) =>
        [.. FaultTable.All.Select(table => table.With(words)).Where(table => table.Faults.Count > 0)];

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
            Write(page, table, run, results);
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

    private static string Mark(FaultTable table) => $"<!-- written by make chaos: {table.Name} -->";

    private static Range? Place(string text, FaultTable table)
    {
        int begin = text.IndexOf(Mark(table), StringComparison.Ordinal), end = begin < 0 ? -1 : text.IndexOf(End, begin, StringComparison.Ordinal);
        return end < 0 ? null : begin..end;
    }

    private static void Write(string page, FaultTable faults, string run, List<FaultResult> results)
    {
        var table = new StringBuilder($"{Mark(faults)}\n{run}\n\n| Fault | Pings lost | Recovery | Verdict |\n|---|---|---|---|\n");
        foreach (FaultResult result in results)
            table.Append(CultureInfo.InvariantCulture, $"| {Named(result)} | {Lost(result)} | {Recovery(result)} | {result.Verdict} |\n");
        string text = File.ReadAllText(page);
        Range place = Place(text, faults)!.Value;
        File.WriteAllText(page, text[..place.Start] + table + text[place.End..]);
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
