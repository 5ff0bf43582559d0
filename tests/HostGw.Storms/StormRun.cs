namespace HostGw.Storms;

/// <summary>Runs storms one after the other on one site.</summary>
internal static class StormRun
{
    /// <param name="words">Names of storms; none: all.</param>
    /// <returns>Whether all held.</returns>
    public static async Task<bool> RunAsync(StormSettings settings, string[] words, TextWriter output)
    {
        Storm[] storms = [.. AllStorms.All.Where(s => words.Length == 0 || words.Contains(s.Name))];
        output.WriteLine($"{storms.Length} storms: {settings.Agents:N0} agents, {settings.Nodes:N0} nodes.");
        await using StormSite site = await StormSite.CreateAsync(settings);
        if (site.Readers.Own < site.Readers.Count)
            output.WriteLine($"{site.Readers.Own:N0} watch their own Node: a process may not have more connections (ulimit -Hn).");
        bool held = true;
        foreach (Storm storm in storms)
        {
            StormReport report = await RunAsync(site, storm);
            output.WriteLine($"{(report.Failures.Count == 0 ? "✓" : "✗")} {storm.Name}: {report}");
            held &= report.Failures.Count == 0;
        }
        return held;
    }

    public static async Task<StormReport> RunAsync(StormSite site, Storm storm)
    {
        StormReport report = new();
        try
        {
            await storm.RunAsync(site, report);
        }
        catch (TimeoutException e)
        {
            report.Fail("it did not end", e.Message);
        }
        return report;
    }
}
