using System.Text.Json;
using HostGw.Lab.Agents;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>What an agent's probes say of its peers.</summary>
internal static class Verdicts
{
    // Agents are asked over HTTP: no oftener than a person could see.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>The verdicts on a peer, IPv4 and IPv6.</summary>
    public static async Task<(string IPv4, string IPv6)> OfAsync(Agent agent, Node peer)
    {
        JsonElement[] podCidrs = await PodCidrsAsync(agent, peer);
        return podCidrs is [var v4, var v6] ? (Text(v4), Text(v6)) : ("", "");

        static string Text(JsonElement podCidr) => podCidr.GetProperty("reachability").GetString()!;
    }

    /// <summary>The peer's podCIDRs in the agent's status, IPv4 first. None where it does not know the peer yet.</summary>
    public static async Task<JsonElement[]> PodCidrsAsync(Agent agent, Node peer) =>
    [
        .. (await agent.StatusAsync()).GetProperty("nodes").EnumerateArray().Where(n => n.GetProperty("name").GetString() == peer.Name)
            .SelectMany(n => n.GetProperty("podCidrs").EnumerateArray())
            .OrderBy(p => p.GetProperty("podCidr").GetString()!.Contains(':', StringComparison.Ordinal)),
    ];

    /// <summary>Waits until the verdict is this in both families; returns how long it took.</summary>
    public static async Task<TimeSpan> BecomesAsync(Agent agent, Node peer, string verdict)
    {
        (string, string) last = default;
        return await Eventually.TrueAsync(
            async () =>
            {
                await Task.Delay(Pause, TestContext.Current.CancellationToken);
                last = await OfAsync(agent, peer);
                return last == (verdict, verdict);
            },
            () => $"{agent.Node}: {peer.Name} is {last}, not {verdict}");
    }

    /// <summary>Waits until every agent says this of every other node.</summary>
    public static async Task AllBecomeAsync(Cluster cluster, string verdict)
    {
        foreach (Node node in cluster.Nodes)
        {
            foreach (Node peer in cluster.Nodes.Where(peer => peer != node))
                await BecomesAsync(cluster.Agent(node), peer, verdict);
        }
    }

    /// <summary>Waits until the agent has asked often enough to change its mind about any peer.</summary>
    public static async Task ProbedAsync(Agent agent)
    {
        double before = await AskedAsync();
        await Eventually.TrueAsync(
            async () =>
            {
                await Task.Delay(Pause, TestContext.Current.CancellationToken);
                return await AskedAsync() >= before + 100;
            },
            () => $"{agent.Node} sends no probes");

        async Task<double> AskedAsync() =>
            await agent.MetricAsync("hostgw_probe_datagrams_total", "result=\"answered\"") +
            await agent.MetricAsync("hostgw_probe_datagrams_total", "result=\"lost\"");
    }

    public static async Task<string[]> ProblemsAsync(Agent agent) =>
        [.. (await agent.StatusAsync()).GetProperty("problems").EnumerateArray().Select(p => p.GetString()!)];

    /// <summary>Waits until a problem has these words, and returns it.</summary>
    public static async Task<string> ProblemAsync(Agent agent, string words)
    {
        string[] problems = [];
        await Eventually.TrueAsync(
            async () =>
            {
                await Task.Delay(Pause, TestContext.Current.CancellationToken);
                problems = await ProblemsAsync(agent);
                return problems.Any(Has);
            },
            () => $"{agent.Node}: no problem '{words}' in\n{string.Join('\n', problems)}");
        return problems.First(Has);

        bool Has(string problem) => problem.Contains(words, StringComparison.Ordinal);
    }

    public static Task NoProblemAsync(Agent agent)
    {
        string[] problems = [];
        return Eventually.TrueAsync(
            async () =>
            {
                await Task.Delay(Pause, TestContext.Current.CancellationToken);
                return (problems = await ProblemsAsync(agent)).Length == 0;
            },
            () => $"{agent.Node}: {string.Join('\n', problems)}");
    }
}
