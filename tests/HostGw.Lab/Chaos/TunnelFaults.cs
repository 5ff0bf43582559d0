using System.Globalization;
using HostGw.Lab.Agents;
using HostGw.Lab.Interop;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Chaos;

/// <summary>What may happen to agents and hosts while packets take the tunnel.</summary>
internal static class TunnelFaults
{
    private const string UntilRepaired = "what had no route until the repair";

    // What HostGw makes on a host beside routes, without counters.
    private const string HostState =
        "ip -br -4 addr show dev hostgw0; ip -br -6 addr show dev hostgw0 scope global; " +
        "ip -o -d link show dev hostgw0 | grep -o 'vxlan external.*'; nft -s list table inet hostgw-guard; true";

    public static IEnumerable<Fault> All =>
    [
        new("API server killed, packets in the tunnel", stage => stage.Api.StopListeningAsync(), stage => stage.Api.StartListeningAsync())
        {
            LeavesPause = true, Meanwhile = KeptAsync,
            // The short form does not wait until the agent reads them.
            Before = stage => stage.IsLong ? AgentFaults.SavedAsync(stage) : Task.CompletedTask,
        },
        new("agents killed with -9 at random, packets in the tunnel", KillAsync, _ => Task.CompletedTask) { AgentsWork = false },
        new("agents restarted one by one, packets in the tunnel", RestartAsync, _ => Task.CompletedTask) { AgentsWork = false },
        new("agents of nodes 1 and 4 halted, packets in the tunnel", HaltAsync, Continue) { AgentsWork = false },
        Broken("hostgw0 set down", "ip link set hostgw0 down", UntilRepaired),
        Broken("hostgw0 deleted", "ip link delete hostgw0", UntilRepaired),
        // Before the last command the agent may have deleted it.
        Broken("hostgw0 renamed", "ip link set hostgw0 down && ip link set hostgw0 name tun9 && { ip link set tun9 up || true; }",
            UntilRepaired),
        Broken("addresses of hostgw0 deleted", "ip address flush dev hostgw0", UntilRepaired),
        Broken("guards deleted", "nft delete table inet hostgw-guard"),
        Broken("guards' rules flushed", "nft flush table inet hostgw-guard"),
        Broken("node 4 deleted from the guards' set", "nft delete element inet hostgw-guard nodes4 { 10.0.1.14 }",
            "node 4's packets until the repair"),
    ];

    // On node 1, at once. All that HostGw has there must be as before.
    private static Fault Broken(string name, string command, string? ownLoss = null) => Fault.Sudden(name, async stage =>
    {
        await stage.SettleAsync();
        string before = Host(stage.One);
        stage.One.Network.Exec("sh", "-c", command);
        stage.HostDifference = () => Host(stage.One) is var now && now == before ? null : $"node1 had\n{before}\nand has\n{now}";
    }) with
    {
        OwnLoss = ownLoss,
    };

    private static string Host(Node node) => node.Network.Exec("sh", "-c", $"({HostState}) 2>&1");

    // An agent that starts without the API server finds its routes, and the saved nodes 10 s later.
    private static async Task KeptAsync(Stage stage)
    {
        await stage.First.KillAsync();
        stage.First.Start();
        if (stage.IsLong)
            await stage.First.WaitReadyAsync();
    }

    private static async Task KillAsync(Stage stage)
    {
        int times = stage.IsLong ? 60 : 6;
        Agent[] agents = [.. stage.Cluster.Agents];
        for (int i = 0; i < times; i++)
        {
            Agent agent = agents[stage.Random.Next(agents.Length)];
            await Task.Delay(stage.Random.Next(0, 300));
            await agent.KillAsync();
            agent.Start();
        }
        stage.Note = string.Create(CultureInfo.InvariantCulture, $"{times} times, seed {stage.Seed}");
        foreach (Agent agent in agents)
            await agent.WaitReadyAsync();
    }

    private static async Task RestartAsync(Stage stage)
    {
        foreach (Agent agent in stage.Cluster.Agents)
        {
            await agent.StopAsync();
            await Task.Delay(stage.Lasting);
            await agent.StartAndWaitAsync();
        }
    }

    // Its node goes on to forward, and peers find no fault with that.
    private static async Task HaltAsync(Stage stage)
    {
        foreach (Agent agent in Halted(stage))
            agent.Signal(Libc.SIGSTOP);
        await Task.Delay(stage.IsLong ? TimeSpan.FromSeconds(60) : TimeSpan.FromSeconds(2));
    }

    private static Task Continue(Stage stage)
    {
        foreach (Agent agent in Halted(stage))
            agent.Signal(Libc.SIGCONT);
        return Task.CompletedTask;
    }

    private static Agent[] Halted(Stage stage) => [stage.First, stage.Cluster.Agent(stage.Cluster.Node(4))];
}
