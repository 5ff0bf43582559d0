using System.Globalization;
using HostGw.Lab.Agents;

namespace HostGw.Lab.Chaos;

/// <summary>What may happen to agents.</summary>
internal static class AgentFaults
{
    public static IEnumerable<Fault> All =>
    [
        new("agent killed with -9 at random points, 200 times", stage => KillAsync(stage, stage.IsLong ? 200 : 8), StartAllAsync) { AgentsWork = false },
        new("two agents at once on one node, the first killed, then the second", TwoAgentsAsync, _ => Task.CompletedTask),
        new("agents start without the API server", StartAloneAsync, stage => stage.Api.StartListeningAsync()) { LeavesPause = true },
        new("agents start on an API server that knows only node 1", StartOnStaleCacheAsync, stage =>
        {
            stage.Api.Faults.Clear();
            return StartAllAsync(stage);
        }) { AgentsWork = false, LeavesPause = true },
    ];

    // While nodes join, move and leave, so that it is always busy.
    private static async Task KillAsync(Stage stage, int times)
    {
        for (int i = 0; i < times; i++)
        {
            if (!stage.First.IsRunning)
                stage.First.Start();
            stage.Announce("busy", 110 + i % 7);
            await Task.Delay(stage.Random.Next(0, 600));
            if (i % 3 == 2)
                stage.Withdraw("busy");
            await stage.First.KillAsync();
        }
        stage.Withdraw("busy");
        stage.Note = string.Create(CultureInfo.InvariantCulture, $"{times} times, seed {stage.Seed}");
    }

    private static Task StartAllAsync(Stage stage) => stage.Cluster.StartAgentsAsync();

    private static async Task TwoAgentsAsync(Stage stage)
    {
        using Agent second = stage.Cluster.AnotherAgent(stage.One);
        second.Start();
        await Eventually.TrueAsync(() => Said(second, "waiting until it ends"), () => "the second agent does not wait for the first");
        await stage.First.KillAsync();
        await second.WaitReadyAsync();
        stage.First.Start();
        await Eventually.TrueAsync(
            () => Said(stage.First, "waiting until it ends"), () => "the first agent, started again, does not wait for the second");
        await second.KillAsync();
        await stage.First.WaitReadyAsync();
    }

    /// <summary>Nodes are saved every 10 s: what is there may be of a fault before, by which they lost their addresses.</summary>
    public static Task SavedAsync(Stage stage)
    {
        string saved = Path.Combine(stage.First.StateDirectory, "nodes"), address = $"\"10.0.0.{Stage.GhostNumber}\"";
        return Eventually.TrueAsync(
            () => File.Exists(saved) && File.ReadAllText(saved).Contains(address, StringComparison.Ordinal),
            () => $"{address} is not in {saved}");
    }

    private static async Task StartAloneAsync(Stage stage)
    {
        await SavedAsync(stage);
        foreach (Agent agent in stage.Cluster.Agents)
            await agent.KillAsync();
        await stage.Api.StopListeningAsync();
        foreach (Agent agent in stage.Cluster.Agents)
            agent.Start();
    }

    private static async Task StartOnStaleCacheAsync(Stage stage)
    {
        foreach (Agent agent in stage.Cluster.Agents)
            await agent.KillAsync();
        stage.Api.Faults.CachedListsFrom = ApiFaults.OnlyTheFirst(stage);
        stage.First.Start();
        await stage.First.WaitReadyAsync();
    }

    private static bool Said(Agent agent, string words) => agent.Log.Lines.Any(line => line.Contains(words, StringComparison.Ordinal));
}
