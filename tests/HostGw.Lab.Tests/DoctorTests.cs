using HostGw.Lab.Agents;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>`hostgw doctor` on real kernels: nothing where all is well, and the cause where somebody broke it.</summary>
[Trait("Speed", "slow")]
public sealed class DoctorTests : LabTest
{
    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(3);

    public static TheoryData<string> Breakages => [.. Breakage.All.Where(b => b is { Cure: null, NeedsAgents: false }).Select(b => b.Name)];

    public static TheoryData<string> WithAgents => [.. Breakage.All.Where(b => b.NeedsAgents).Select(b => b.Name)];

    private Node One => Cluster.Node(1);

    [Fact]
    public async Task Where_the_agent_keeps_all_in_order_it_finds_nothing()
    {
        await StartFirstAgentAsync();
        Assert.Empty(Cluster.Agent(One).Diagnose());
    }

    [Theory]
    [MemberData(nameof(Breakages))]
    public async Task What_somebody_broke_while_no_agent_ran_is_named(string breakage)
    {
        if (Breakage.Of(breakage).NeedsPodGateway)
            Cluster.Agent(One).Settings = Cluster.Agent(One).Settings with { NextHop = "PodGateway" };
        await Cluster.Agent(One).StartAndWaitAsync();
        await Cluster.Agent(One).StopAsync();

        Breakage.Of(breakage).Break(One);

        Cluster.Agent(One).Wrapper = Breakage.Of(breakage).Wrapper;
        Assert.Contains(Breakage.Of(breakage).Rule, Cluster.Agent(One).Diagnose(Breakage.Of(breakage).Flags));
    }

    [Theory]
    [MemberData(nameof(WithAgents))]
    public async Task What_only_running_agents_show_is_named(string breakage)
    {
        foreach (Agent agent in Cluster.Agents)
            agent.Settings = agent.Settings with { AgentOnly = ["--probe-interval-seconds", "1"] };
        await Cluster.StartAgentsAsync();
        await ReachableAsync();
        Assert.Empty(Cluster.Agent(One).Diagnose("--probe"));

        Breakage.Of(breakage).Break(One);

        await Eventually.TrueAsync(
            () => Task.FromResult(Cluster.Agent(One).Diagnose(Breakage.Of(breakage).Flags).Contains(Breakage.Of(breakage).Rule)),
            () => string.Join(", ", Cluster.Agent(One).Diagnose()), TimeSpan.FromSeconds(60));
        // What the agents' own probes have found is in the status as well.
        Assert.Equal(
            Breakage.Of(breakage).Flags.IsEmpty, (await Cluster.Agent(One).StatusAsync()).GetProperty("problems").GetArrayLength() > 0);
        Assert.True(await Cluster.Agent(One).IsReadyAsync());
    }

    [Fact]
    public async Task What_has_a_cure_that_is_a_command_is_named_and_cured_by_it()
    {
        List<string> wrong = [];
        foreach (Breakage breakage in Breakage.All.Where(b => b.Cure is not null))
        {
            // An agent puts right what breaking and curing has left, but for tables that are empty.
            One.Network.Exec("nft", "flush ruleset");
            await StartFirstAgentAsync();
            await Cluster.Agent(One).StopAsync();

            breakage.Break(One);
            string printed = Found(breakage.Rule), cure = breakage.CureOn(One);
            One.Network.Exec("sh", "-c", cure);
            if (!printed.Contains(cure, StringComparison.Ordinal) || Found(breakage.Rule) is not "")
                wrong.Add($"{breakage.Name}: {printed}and after '{cure}' {Found(breakage.Rule)}");
        }
        Assert.Empty(wrong);
    }

    // In the words of the doctor and the agent.
    [Fact]
    public async Task What_the_agent_will_report_and_not_repair_is_shown_by_plan_before_it_runs()
    {
        string[] reported = ["conflict", "shadowed", "overridden", "probeAddress", "foreignDrop"];
        List<string> missing = [];
        foreach (Breakage breakage in Breakage.All.Where(b => b.Cure is not null && reported.Contains(b.Rule)))
        {
            One.Network.Exec("nft", "flush ruleset");
            await StartFirstAgentAsync();
            await Cluster.Agent(One).StopAsync();

            breakage.Break(One);
            string plan = Cluster.Agent(One).RunWithSettings("plan");
            bool isShown = Cluster.Agent(One).Findings().Where(f => f.GetProperty("rule").GetString() == breakage.Rule)
                .All(f => plan.Contains($"! {f.GetProperty("problem").GetString()}\n", StringComparison.Ordinal));
            // Of a conflict the text says what to do, which may be a setting.
            bool hasCure = breakage.Rule == "conflict" || plan.Contains(breakage.CureOn(One), StringComparison.Ordinal);
            if (!isShown || !hasCure || plan.Contains("as it should be", StringComparison.Ordinal))
                missing.Add($"{breakage.Name}: {plan}");
            One.Network.Exec("sh", "-c", breakage.CureOn(One));
        }
        Assert.Empty(missing);
    }

    [Fact]
    public async Task What_the_agent_is_said_to_repair_it_repairs_and_the_rest_it_does_not()
    {
        await StartFirstAgentAsync();
        foreach (Breakage breakage in Breakage.All.Where(b => b.IsRepaired))
        {
            breakage.Break(One);
            await Eventually.TrueAsync(() => Task.FromResult(Cluster.Agent(One).Diagnose().Count == 0), () => $"{breakage.Name}: {string.Join(", ", Cluster.Agent(One).Diagnose())}");
        }
    }

    [Fact]
    public async Task An_API_server_that_is_gone_is_named()
    {
        await StartFirstAgentAsync();
        await Cluster.Agent(One).StopAsync();
        await Cluster.Api.Server.StopListeningAsync();

        Assert.Equal(["apiServer"], Cluster.Agent(One).Diagnose());
    }

    [Fact]
    public async Task A_probe_finds_the_peer_that_nobody_has_spoken_to_and_that_does_not_answer()
    {
        await StartFirstAgentAsync();
        Cluster.Segment.Network.Configure(["link set node3 down"]);

        Assert.Empty(Cluster.Agent(One).Diagnose());
        // The agent's probes have resolved it, and the kernel trusts that for half a minute.
        One.Network.Configure(["neigh flush dev eth0"]);
        Assert.Equal(["unanswered", "unanswered"], Cluster.Agent(One).Diagnose("--probe"));
        Cluster.Segment.Network.Configure(["link set node3 up"]);
        Assert.Empty(Cluster.Agent(One).Diagnose("--probe"));
    }

    // Both families of both peers.
    private Task<TimeSpan> ReachableAsync()
    {
        double reachable = 0;
        return Eventually.TrueAsync(
            async () => (reachable = await Cluster.Agent(One).MetricAsync("hostgw_peers", "reachability=\"reachable\"")) == 4,
            () => $"{reachable} reachable", TimeSpan.FromSeconds(60));
    }

    // What the doctor finds by a rule, with the cures.
    private string Found(string rule) => string.Concat(
        from finding in Cluster.Agent(One).Findings()
        where finding.GetProperty("rule").GetString() == rule
        select $"{finding.GetProperty("problem")} => {finding.GetProperty("cure")}\n");
}
