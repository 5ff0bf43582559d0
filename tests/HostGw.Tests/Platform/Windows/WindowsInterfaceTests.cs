using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;

namespace HostGw.Tests.Platform.Windows;

[SupportedOSPlatform("windows")]
[Collection(nameof(WindowsTests))]
public sealed class WindowsInterfaceTests
{
    [Fact]
    public void Forwarding_goes_on_for_the_uplink_and_the_pods_bridge_and_no_other()
    {
        using WindowsAgent agent = new("", "interface 0006008003000000 20 up 30 - Storage");
        Assert.True(agent.Pass().ForwardingChanged);
        Assert.Equal(["- Loopback", "- Storage", "4 vEthernet (Ethernet)", "4 vEthernet (cbr0)"], Forwarding());
        Assert.False(agent.Pass().ForwardingChanged);
    }

    [Fact]
    public void Forwarding_of_both_families_where_pods_have_both()
    {
        using WindowsAgent agent = new() { Nodes = ["self 10.244.1.0/24,fd00:10:244:1::/64 10.0.0.1,fd00:aaaa::1 windows"] };
        agent.Pass();
        Assert.Equal(["- Loopback", "46 vEthernet (Ethernet)", "46 vEthernet (cbr0)"], Forwarding());
    }

    [Theory]
    [InlineData("interface 0006008001000000 7 up 25 - vEthernet (Ethernet)")]
    [InlineData("interface 0006008002000000 12 up 15 - vEthernet (cbr0)")]
    public void Forwarding_that_somebody_turned_off_comes_back(string off)
    {
        using WindowsAgent agent = new();
        agent.Pass();
        StandIn.Do(off);
        Assert.True(agent.Pass(WakeCauses.Forwarding).ForwardingChanged);
        Assert.Equal(["- Loopback", "4 vEthernet (Ethernet)", "4 vEthernet (cbr0)"], Forwarding());
    }

    [Fact]
    public void The_uplink_is_found_again_after_it_was_renamed_and_got_another_index()
    {
        using WindowsAgent agent = new();
        agent.Pass();
        string[] before = [.. WindowsAgent.Routes];
        StandIn.Do($"interface {WindowsAgent.Uplink} 31 up 25 4 vEthernet (Ethernet 2)");
        PassReport report = agent.Pass(WakeCauses.Links);
        Assert.Empty(report.Failures);
        Assert.False(report.Changed);
        Assert.Equal(before, WindowsAgent.Routes);
        Assert.Equal("vEthernet (Ethernet 2)", report.Plan!.InterfaceIPv4.Interface!.Name);
    }

    [Fact]
    public void Routes_follow_the_address_to_the_adapter_that_hns_made_of_the_old_one()
    {
        using WindowsAgent agent = new();
        agent.Pass();
        StandIn.Do(
            $"remove-interface {WindowsAgent.Uplink}", "interface 0006008009000000 40 up 25 - vEthernet (Ethernet)",
            "address 0006008009000000 10.0.0.1/24", "route 0.0.0.0/0 10.0.0.254 0006008009000000 0 3");
        Assert.Empty(agent.Pass(WakeCauses.Links).Failures);
        Assert.Equal(
            ["10.244.1.0/24 on-link 0006008009000000 300", "10.244.2.0/24 10.0.0.2 0006008009000000 300", "10.244.2.0/24 10.0.0.2 cbr0 250"],
            WindowsAgent.PodRoutes.Where(r => !r.StartsWith("10.244.3", StringComparison.Ordinal)));
    }

    [Fact]
    public void While_the_uplink_has_no_address_nothing_is_removed()
    {
        using WindowsAgent agent = new();
        agent.Pass();
        string[] before = [.. WindowsAgent.PodRoutes];
        StandIn.Do($"remove-address {WindowsAgent.Uplink} 10.0.0.1/24");
        agent.Pass(WakeCauses.Addresses);
        Assert.Equal(before, WindowsAgent.PodRoutes);
    }

    [Fact]
    public void Gateways_and_resolvers_are_guarded()
    {
        using WindowsAgent agent = new() { Nodes = ["self 10.244.1.0/24 10.0.0.1 windows", "thief 10.10.0.0/16 10.0.0.2"] };
        StandIn.Do($"route 0.0.0.0/0 10.10.0.1 {WindowsAgent.Uplink} 5 3");
        Assert.Contains("10.10.0.1", Assert.Single(ProblemCatalog.Texts(agent.Pass())), StringComparison.Ordinal);
    }

    // Interfaces by name: the families that they forward.
    private static string[] Forwarding() =>
        [.. StandIn.Ask("interfaces").Split('\n').Select(l => l.Split(' ', 7)).Select(w => $"{w[5]} {w[6].Replace(" Pseudo-Interface 1", "", StringComparison.Ordinal)}").Order(StringComparer.Ordinal)];
}
