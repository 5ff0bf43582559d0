using System.Globalization;
using System.Text;
using HostGw.Lab.Agents;
using HostGw.Lab.Demo;
using HostGw.Lab.Network;

namespace HostGw.Lab.Chaos;

/// <summary>Every fault in its long form, and the table of what was lost.</summary>
internal static class ChaosRun
{
    private const string Begin = "<!-- written by make chaos -->", End = "<!-- end -->";

    /// <param name="words">Faults whose names hold one of them; none: all.</param>
    /// <param name="page">Where the table goes, between its marks; null: nowhere.</param>
    /// <returns>Whether all held.</returns>
    public static async Task<bool> RunAsync(string[] words, int seed, string? page)
    {
        var screen = new Screen(Console.Out, colours: !Console.IsOutputRedirected);
        Fault[] faults = [.. FaultTable.All.Where(f => words.Length == 0 || words.Any(w => f.Name.Contains(w, StringComparison.OrdinalIgnoreCase)))];
        screen.Title($"{faults.Length} faults, seed {seed}. Pods of three nodes ping each other in both families throughout.");
        List<FaultResult> results = [];
        await using Stage stage = await Stage.BuildAsync(isLong: true, seed);
        foreach (Fault fault in faults)
        {
            FaultResult result = await FaultRun.RunAsync(stage, fault);
            results.Add(result);
            screen.Text($"{(result.IsGood ? "✓" : "✗")} {fault.Name}: {Lost(result)}, {Recovery(result)}{(result.Note.Length > 0 ? $" ({result.Note})" : "")}");
            if (!result.IsGood)
                ShowWhy(screen, stage, result);
        }
        string run = Describe(stage.First, seed);
        Show(screen, run, results);
        if (page is not null)
            Write(page, run, results);
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

    private static void Write(string page, string run, List<FaultResult> results)
    {
        var table = new StringBuilder($"{Begin}\n{run}\n\n| Fault | Pings lost | Recovery | Verdict |\n|---|---|---|---|\n");
        foreach (FaultResult result in results)
            table.Append(CultureInfo.InvariantCulture, $"| {result.Fault.Name}{(result.Note.Length > 0 ? $" ({result.Note})" : "")} | {Lost(result)} | {Recovery(result)} | {result.Verdict} |\n");
        string text = File.ReadAllText(page);
        int begin = text.IndexOf(Begin, StringComparison.Ordinal), end = text.IndexOf(End, StringComparison.Ordinal);
        if (begin < 0 || end < begin)
            throw new InvalidOperationException($"{page} has no place for the table, between '{Begin}' and '{End}'");
        File.WriteAllText(page, text[..begin] + table + text[end..]);
    }

    private static string Describe(Agent agent, int seed)
    {
        string version = agent.Run("--version").Trim();
        string kernel = Command.Run("uname", "-r").Trim();
        return string.Create(CultureInfo.InvariantCulture, $"Run of {DateTime.UtcNow:yyyy-MM-dd}: hostgw {version}, {Environment.ProcessorCount} cores, kernel {kernel}, seed {seed}.");
    }

    private static string Lost(FaultResult result) => string.Create(CultureInfo.InvariantCulture, $"{result.Pings.Lost} of {result.Pings.Sent}");

    private static string Recovery(FaultResult result) => result.Recovery is { } time ? Screen.Time(time) : "never";
}
