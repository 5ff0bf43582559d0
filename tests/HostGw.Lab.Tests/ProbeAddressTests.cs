using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>The probe addresses of node 1 while its agent runs, and after it.</summary>
public sealed class ProbeAddressTests : LabTest
{
    private const string V4 = "192.168.1.0", V6 = "fd00:192:168:1::";

    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(3);

    private Node One => Cluster.Node(1);

    private Agent Agent => Cluster.Agent(One);

    [Theory]
    [InlineData("route delete 192.168.1.0 table local")]
    [InlineData("-6 route delete fd00:192:168:1:: table local proto 157")]
    [InlineData("route replace blackhole 192.168.1.0 table local proto 157")]
    [InlineData("-6 route replace blackhole fd00:192:168:1:: table local proto 157")]
    public async Task One_that_somebody_deletes_or_changes_is_installed_again(string byHand)
    {
        await StartFirstAgentAsync();
        await InstalledAsync();

        One.Network.Exec("ip", byHand.Split(' '));

        await Eventually.TrueAsync(
            async () => await Agent.MetricAsync("hostgw_repairs_total", "cause=\"probe_address_undone\"") == 1, () => Ours("-4") + Ours("-6"));
        await InstalledAsync();
    }

    [Fact]
    public async Task Addresses_of_the_host_and_the_sources_of_its_packets_are_as_without_it()
    {
        Agent.Settings = Agent.Settings with { More = [.. Clusters.Nftables, "--probe-enabled", "false"] };
        await StartFirstAgentAsync();
        Assert.Equal("", Ours("-4") + Ours("-6"));
        string before = Seen();
        await Agent.StopAsync();

        Agent.Settings = Agent.Settings with { More = Clusters.Nftables };
        await StartFirstAgentAsync();
        await InstalledAsync();
        Assert.Equal(before, Seen());
        Assert.Equal([V4, V6], (await Agent.StatusAsync()).GetProperty("probeAddresses").EnumerateArray().Select(a => a.GetString()));
        await Agent.StopAsync();

        Agent.Settings = Agent.Settings with { More = [.. Clusters.Nftables, "--probe-enabled", "false"] };
        await StartFirstAgentAsync();
        Assert.Equal("", Ours("-4") + Ours("-6"));
        Assert.Equal(before, Seen());

        // What kubelet and kube-proxy list, and what a program takes that binds to no address.
        string Seen() => string.Concat(
        [
            One.Network.Exec("ip", "-j", "addr"),
            One.Network.Exec("ip", "-4", "route", "show", "table", "main"), One.Network.Exec("ip", "-6", "route", "show", "table", "main"),
            .. Addressing.Outside.Concat(Cluster.Node(2).Addresses).Concat(Cluster.Node(2).Pods[0].Addresses)
                .Select(a => One.Network.Exec("ip", "-o", "route", "get", $"{a}")),
        ]);
    }

    [Fact]
    public async Task It_stays_when_the_agent_is_killed_and_cleanup_removes_it()
    {
        await StartFirstAgentAsync();
        await InstalledAsync();
        await Agent.KillAsync();
        await InstalledAsync();

        string output = Agent.Run("cleanup");

        Assert.Contains($"removed local route {V4}/32 of a probe address", output, StringComparison.Ordinal);
        Assert.Contains($"removed local route {V6}/128 of a probe address", output, StringComparison.Ordinal);
        Assert.Equal("", Ours("-4") + Ours("-6"));
    }

    [Fact]
    public async Task A_foreign_route_in_its_place_is_a_problem_until_it_is_gone_and_the_host_is_ready()
    {
        One.Network.Configure([$"route add blackhole {V4} table local proto static"]);
        await StartFirstAgentAsync();
        string problem = Assert.Single((await Agent.StatusAsync()).GetProperty("problems").EnumerateArray()).GetString()!;
        Assert.Contains($"probe address {V4} (conflict): the blackhole route", problem, StringComparison.Ordinal);
        Assert.True(await Agent.IsReadyAsync());
        Assert.Equal("", Ours("-4"));

        One.Network.Configure([$"route del blackhole {V4} table local proto static"]);

        await InstalledAsync();
        await Eventually.TrueAsync(
            async () => !(await Agent.StatusAsync()).GetProperty("problems").EnumerateArray().Any(), () => "the problem stays");
    }

    private async Task InstalledAsync() => await Eventually.TrueAsync(
        () => Ours("-4") == $"local {V4} dev lo scope host" && Ours("-6") == $"local {V6} dev lo metric 1024 pref medium",
        () => Ours("-4") + Ours("-6"));

    private string Ours(string family) => One.Network.Exec("ip", family, "route", "show", "table", "local", "proto", "157").Trim();
}
