namespace HostGw.Windows.Tests;

public sealed class AgentTests : WindowsNodeTest
{
    [Fact]
    public async Task Three_linux_and_two_windows_nodes_give_exactly_the_routes_of_the_design()
    {
        await using WindowsAgent agent = StartAgent();
        await agent.EventuallyRoutesAsync(Wanted);
        Assert.Contains(" 4 vEthernet (Ethernet)", Host.Ask("interfaces"), StringComparison.Ordinal);
        Assert.Contains(" 4 vEthernet (cbr0)", Host.Ask("interfaces"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Gateways_inside_pod_subnets_are_1_for_linux_and_2_for_windows()
    {
        await using WindowsAgent agent = StartAgent("--next-hop", "PodGateway", "--cluster-route", "off");
        await agent.EventuallyRoutesAsync(
        [
            .. DefaultRoute, "10.244.4.0/24 on-link uplink 300",
            .. Peer("10.244.1.0/24", "10.244.1.1"), .. Peer("10.244.2.0/24", "10.244.2.1"), .. Peer("10.244.3.0/24", "10.244.3.1"), .. Peer("10.244.5.0/24", "10.244.5.2"),
        ]);
    }

    [Fact]
    public async Task The_cluster_route_is_kept_where_these_gateways_need_it()
    {
        await using WindowsAgent agent = StartAgent("--next-hop", "PodGateway");
        string[] wanted =
        [
            .. DefaultRoute, "10.244.0.0/16 on-link uplink 300", "10.244.4.0/24 on-link uplink 300",
            .. Peer("10.244.1.0/24", "10.244.1.1"), .. Peer("10.244.2.0/24", "10.244.2.1"), .. Peer("10.244.3.0/24", "10.244.3.1"), .. Peer("10.244.5.0/24", "10.244.5.2"),
        ];
        await agent.EventuallyRoutesAsync(wanted);
        Host.Do("settle");
        Host.Do($"remove-route 10.244.0.0/16 on-link {StandInHost.Uplink}");
        await agent.EventuallyRoutesAsync(wanted);
    }

    [Fact]
    public async Task The_api_server_stays_in_reach_over_the_default_gateway()
    {
        await using WindowsAgent agent = StartAgent("--windows-api-server-address", "198.51.100.1");
        string[] wanted = [.. Wanted, "198.51.100.1/32 10.0.0.254 uplink 300"];
        await agent.EventuallyRoutesAsync(wanted);
        Host.Do("settle");
        Host.Do($"remove-route 198.51.100.1/32 10.0.0.254 {StandInHost.Uplink}");
        await agent.EventuallyRoutesAsync(wanted);
        Host.Do($"route 0.0.0.0/0 10.0.0.253 {StandInHost.Uplink} 0 3");
        Host.Do($"remove-route 0.0.0.0/0 10.0.0.254 {StandInHost.Uplink}");
        await agent.EventuallyRoutesAsync([.. Wanted.Except(DefaultRoute), "0.0.0.0/0 10.0.0.253 uplink 0", "198.51.100.1/32 10.0.0.253 uplink 300"]);
    }

    [Fact]
    public async Task Nodes_that_come_and_go_are_followed()
    {
        await using WindowsAgent agent = StartAgent();
        await agent.EventuallyRoutesAsync(Wanted);
        Api.Nodes.Put(Node(6, "linux-d"));
        await agent.EventuallyRoutesAsync([.. Wanted, .. Peer("10.244.6.0/24", "10.0.0.6")]);
        Api.Nodes.Delete("linux-d");
        await agent.EventuallyRoutesAsync(Wanted);
    }

    [Theory]
    [InlineData("remove-route 10.244.2.0/24 10.0.0.2 0006008001000000", "Added route 10.244.2.0/24 via 10.0.0.2")]
    [InlineData("remove-route 10.244.4.0/24 on-link 0006008001000000", "Added route 10.244.4.0/24 on-link")]
    [InlineData("route 10.244.2.0/24 10.0.0.2 0006008002000000 9 3", "Corrected route 10.244.2.0/24: was via 10.0.0.2, is via 10.0.0.2 (it had metric 9)")]
    public async Task A_route_that_somebody_deleted_or_changed_is_repaired_because_windows_said_so(string damage, string repair)
    {
        await using WindowsAgent agent = StartAgent("--log-level", "debug");
        await agent.EventuallyRoutesAsync(Wanted);
        // Its own changes are news, too: until a pass has found nothing more to do, the repair may be that one's.
        Host.Do("settle");
        await agent.EventuallyLogsAsync("had nothing to do");
        Host.Do(damage);
        await agent.EventuallyLogsAsync(repair);
        await agent.EventuallyRoutesAsync(Wanted);
        await agent.EventuallyLogsAsync("because of routes");
    }

    [Fact]
    public async Task A_next_hop_that_somebody_changed_is_put_right()
    {
        await using WindowsAgent agent = StartAgent();
        await agent.EventuallyRoutesAsync(Wanted);
        Host.Do("settle");
        Host.Do($"remove-route 10.244.2.0/24 10.0.0.2 {StandInHost.Uplink}");
        Host.Do($"route 10.244.2.0/24 10.0.0.99 {StandInHost.Uplink} 300 3");
        await agent.EventuallyAsync(() => Host.Routes().Contains("10.244.2.0/24 10.0.0.2 uplink 300"), () => string.Join('\n', Host.Routes()));
    }

    [Theory]
    [InlineData("interface 0006008001000000 7 up 25 - vEthernet (Ethernet)", " 4 vEthernet (Ethernet)")]
    [InlineData("interface 0006008001000000 31 up 25 - vEthernet (Ethernet 2)", " 4 vEthernet (Ethernet 2)")]
    public async Task Forwarding_comes_back_and_a_renamed_interface_is_found_again(string damage, string expected)
    {
        await using WindowsAgent agent = StartAgent();
        await agent.EventuallyRoutesAsync(Wanted);
        Host.Do(damage);
        await agent.EventuallyAsync(() => Host.Ask("interfaces").Contains(expected, StringComparison.Ordinal), () => Host.Ask("interfaces"));
        await agent.EventuallyRoutesAsync(Wanted);
    }

    [Fact]
    public async Task A_node_that_left_while_the_agent_was_down_leaves_nothing_and_what_is_not_ours_stays()
    {
        Host.Do($"route 10.244.9.0/24 10.0.0.9 {StandInHost.Uplink} 300 3");
        Host.Do($"route 172.20.0.0/16 10.0.0.7 {StandInHost.Uplink} 1 10006");
        string[] foreign = ["10.244.9.0/24 10.0.0.9 uplink 300", "172.20.0.0/16 10.0.0.7 uplink 1"];
        await using (WindowsAgent agent = StartAgent())
        {
            await agent.EventuallyRoutesAsync([.. Wanted, .. foreign]);
            Assert.Equal(0, await agent.StopAsync());
            Assert.Contains("Stopped; routes", agent.Log, StringComparison.Ordinal);
        }
        Assert.Equal([.. Wanted.Concat(foreign).Order(StringComparer.Ordinal)], Host.Routes());

        Api.Nodes.Delete("windows-b");
        Api.Nodes.Delete("linux-c");
        await using WindowsAgent next = StartAgent();
        await next.EventuallyRoutesAsync([.. Wanted.Where(r => !r.StartsWith("10.244.5", StringComparison.Ordinal) && !r.StartsWith("10.244.3", StringComparison.Ordinal)), .. foreign]);
    }

    [Fact]
    public async Task An_agent_that_was_killed_knows_its_routes_again()
    {
        await using (WindowsAgent agent = StartAgent())
            await agent.EventuallyRoutesAsync(Wanted);
        Api.Nodes.Delete("linux-a");
        await using WindowsAgent next = StartAgent();
        await next.EventuallyRoutesAsync(Wanted.Where(r => !r.StartsWith("10.244.1", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_second_agent_waits_for_its_turn_and_cleanup_refuses_meanwhile()
    {
        await using WindowsAgent agent = StartAgent();
        await agent.EventuallyRoutesAsync(Wanted);
        string pid = await File.ReadAllTextAsync(PathTo("state/agent.pid"), TestContext.Current.CancellationToken);
        await using WindowsAgent second = WindowsAgent.Start(Flags, Environment, Host, isFirst: false);
        await second.EventuallyLogsAsync($"Another agent (pid {pid}) runs on this host");

        (int exitCode, _, string error) = await Wine.RunAsync("hostgw.exe", ["cleanup", .. StateFlags], Environment);
        Assert.Equal((1, $"An agent runs on this host (pid {pid}): it would put everything back. Stop it first.\n"), (exitCode, error));

        Assert.Equal(0, await agent.StopAsync());
        await second.EventuallyLogsAsync("on node windows-a");
    }

    // Wine keeps access rights as Unix permissions.
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_state_directory_is_for_administrators_only_whoever_created_it(bool existsBefore)
    {
        if (existsBefore)
            File.SetUnixFileMode(Directory.CreateDirectory(PathTo("state")).FullName, (UnixFileMode)0b111_111_111);
        await using WindowsAgent agent = StartAgent();
        await agent.EventuallyRoutesAsync(Wanted);
        UnixFileMode others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(PathTo("state")) & others);
    }
}
