using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Demo;

/// <summary>How the demo decides whether what it claims holds.</summary>
internal sealed partial class DemoRun
{
    // A check fails by an exception that says what was expected and what was seen; the demo goes on.
    private async Task CheckAsync(string claim, Agent agent, Func<Task<TimeSpan?>> prove)
    {
        try
        {
            TimeSpan? took = await prove();
            screen.Check(claim, true, () => "", took);
        }
        catch (Exception e)
        {
            screen.Check(claim, false, () => string.Join('\n', [e.Message, $"the agent of {agent.Node} wrote last:", .. agent.Log.LastWords(8)]));
        }
    }

    // A step that cannot go on counts as one failed check.
    private async Task CompleteAsync(Func<Task> step)
    {
        try
        {
            await step();
        }
        catch (Exception e)
        {
            screen.Check("The step could be completed", false, () => e.Message);
        }
    }

    private static Task<TimeSpan?> Nothing(string expected, IEnumerable<string> problems)
    {
        Expect(expected, [.. problems]);
        return Task.FromResult<TimeSpan?>(null);
    }

    private static void Expect(string expected, string[] problems)
    {
        if (problems.Length > 0)
            throw new InvalidOperationException($"expected: {expected}\nseen: {string.Join("\n      ", problems.Take(12))}");
    }

    private Task<TimeSpan?> ExpectRoutes(Node node, bool podGateway)
    {
        string[] expected = [.. Desired(node, podGateway).Order(StringComparer.Ordinal)];
        string[] seen = [.. Report.Ours(node).Select(route => $"{route}").Order(StringComparer.Ordinal)];
        return expected.SequenceEqual(seen)
            ? Task.FromResult<TimeSpan?>(null)
            : throw new InvalidOperationException($"expected: {string.Join("\n          ", expected)}\nseen:     {string.Join("\n          ", seen)}");
    }

    private IEnumerable<string> Desired(Node node, bool podGateway)
    {
        if (podGateway)
            yield return $"{Addressing.ClusterCidrs[0]} dev eth0 proto 157 scope link";
        foreach (Node peer in cluster.Nodes.Where(peer => peer != node))
        {
            yield return $"{peer.PodCidrs[0]} via {(podGateway ? peer.PodGateways[0] : peer.Addresses[0])} dev eth0 proto 157 onlink";
            yield return $"{peer.PodCidrs[1]} via {peer.Addresses[1]} dev eth0 proto 157 metric 1024 onlink";
        }
    }

    private PingFlood Flood()
    {
        Pod[] pods = [.. cluster.Pods];
        return PingFlood.Start(
            from i in Enumerable.Range(0, pods.Length)
            from address in pods[(i + 1) % pods.Length].Addresses
            select (pods[i].Network, address),
            FloodInterval);
    }

    private async Task CheckFloodAsync(PingFlood flood)
    {
        await Task.Delay(FloodsOn);
        PingFloodResult result = flood.Stop();
        await CheckAsync(
            $"{result.Sent} pings on {result.Paths} paths, {result.Lost} lost; longest silence between two replies", Agent(1), () =>
            {
                Expect("every ping answered", [.. result.Losses]);
                return Task.FromResult<TimeSpan?>(result.LongestGap);
            });
    }

    private Task ShowNatAsync() => CheckAsync("Every node masquerades its own pods, except towards pods and itself", Agent(2), () =>
    {
        screen.Faint("NAT on node2 (nft list table inet hostgw); the others differ only in their own pod subnets:");
        foreach (string line in NatTable(cluster.Node(2)).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            screen.Quote(line.Replace("\t", "  ", StringComparison.Ordinal));
        screen.Text();
        return Nothing("a masquerade rule for what is neither local nor exempt",
            from node in cluster.Nodes
            let table = NatTable(node)
            where !table.Contains("masquerade", StringComparison.Ordinal) || !table.Contains("fib daddr type != local", StringComparison.Ordinal)
            select $"{node.Name}: {table}");
    });

    private static string NatTable(Node node) => node.Network.Exec("nft", "list", "table", "inet", "hostgw");
}
