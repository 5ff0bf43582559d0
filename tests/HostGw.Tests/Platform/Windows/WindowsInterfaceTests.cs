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

    private static readonly string[] DualStack =
    [
        "self 10.244.1.0/24,fd00:10:244:1::/64 10.0.0.1,fd00:aaaa::1 windows", "linux 10.244.2.0/24,fd00:10:244:2::/64 10.0.0.2,fd00:aaaa::2",
    ];

    [Fact]
    public void A_bridge_without_ipv6_is_named_and_everything_else_goes_on()
    {
        using WindowsAgent agent = new("", $"interface {WindowsAgent.PodEndpoint} 12 up 15 -b vEthernet (cbr0)") { Nodes = DualStack };
        PassReport report = agent.Pass();
        Assert.Empty(report.Failures);
        Assert.Equal(
            [
                "10.244.1.0/24 on-link uplink 300", "10.244.2.0/24 10.0.0.2 cbr0 250", "10.244.2.0/24 10.0.0.2 uplink 300",
                "fd00:10:244:1::/64 on-link uplink 300", "fd00:10:244:2::/64 fd00:aaaa::2 uplink 300",
            ], WindowsAgent.PodRoutes);
        Assert.Equal(["- Loopback", "46 vEthernet (Ethernet)", "4b vEthernet (cbr0)"], Forwarding());
        Problem problem = Assert.Single(ProblemCatalog.All(report));
        Assert.Equal(
            "vEthernet (cbr0) has no IPv6, which this node's pods have: there is no IPv6 route over it. " +
            "Enable-NetAdapterBinding -Name 'vEthernet (cbr0)' -ComponentID ms_tcpip6 binds it; or give this node no IPv6 podCIDR", problem.Text);

        PassReport next = agent.Pass();
        Assert.False(next.Changed);
        Assert.False(next.ForwardingChanged);
        StandIn.Do($"interface {WindowsAgent.PodEndpoint} 12 up 15 4 vEthernet (cbr0)");
        Assert.Empty(ProblemCatalog.All(agent.Pass(WakeCauses.Links)));
        Assert.Contains("fd00:10:244:2::/64 fd00:aaaa::2 cbr0 250", WindowsAgent.PodRoutes);
    }

    [Theory]
    [InlineData("a", "IPv4", "fd00:10:244:2::/64 fd00:aaaa::2 uplink 300")]
    [InlineData("b", "IPv6", "10.244.2.0/24 10.0.0.2 uplink 300")]
    public void An_uplink_without_one_family_is_named_and_the_other_family_goes_on(string lacks, string family, string stands)
    {
        using WindowsAgent agent = new("", $"interface {WindowsAgent.Uplink} 7 up 25 -{lacks} vEthernet (Ethernet)") { Nodes = DualStack };
        PassReport report = agent.Pass();
        Assert.Empty(report.Failures);
        Assert.Contains(stands, WindowsAgent.PodRoutes);
        Assert.Single(ProblemCatalog.Texts(report), t => t.StartsWith($"vEthernet (Ethernet) has no {family},", StringComparison.Ordinal));
    }

    [Fact]
    public void A_family_that_pods_do_not_have_may_be_missing()
    {
        using WindowsAgent agent = new(
            "", $"interface {WindowsAgent.Uplink} 7 up 25 -b vEthernet (Ethernet)", $"interface {WindowsAgent.PodEndpoint} 12 up 15 -b vEthernet (cbr0)");
        PassReport report = agent.Pass();
        Assert.Empty(report.Failures);
        Assert.Empty(ProblemCatalog.All(report));
    }

    [Fact]
    public void Over_a_bridge_that_is_disconnected_nothing_is_installed_and_nothing_is_forgotten()
    {
        using WindowsAgent agent = new();
        agent.Pass();
        string[] before = [.. WindowsAgent.PodRoutes];
        StandIn.Do($"interface {WindowsAgent.PodEndpoint} 12 down 15 4 vEthernet (cbr0)");
        PassReport report = agent.Pass(WakeCauses.Links);
        Assert.Empty(report.Failures);
        Assert.False(report.Changed);
        agent.Nodes = [.. agent.Nodes, "new 10.244.4.0/24 10.0.0.4"];
        Assert.Empty(agent.Pass().Failures);
        StandIn.Do($"interface {WindowsAgent.PodEndpoint} 12 up 15 4 vEthernet (cbr0)");
        Assert.Empty(ProblemCatalog.All(agent.Pass(WakeCauses.Links)));
        Assert.Equal(
            [.. before, "10.244.4.0/24 10.0.0.4 cbr0 250", "10.244.4.0/24 10.0.0.4 uplink 300"], WindowsAgent.PodRoutes);
    }

    [Theory]
    [InlineData(8, true)]
    [InlineData(2, false)]
    [InlineData(87, false)]
    public void An_interface_whose_name_cannot_be_read_is_there_all_the_same_unless_it_is_gone(int code, bool isThere)
    {
        using WindowsAgent agent = new();
        // The first interface is the loopback.
        StandIn.Do($"answer ConvertInterfaceLuidToAlias {code} 3");
        HostState state = agent.Host.Read([]);
        Assert.Equal(isThere ? [1, 7, 12] : (int[])[], state.Interfaces.Select(i => i.Index));
        Assert.All(state.Interfaces, i => Assert.EndsWith(", error 8)", i.Name, StringComparison.Ordinal));
    }

    // The error that says that the interface does not have the family, and that which says that there is no such interface any more.
    [Theory]
    [InlineData("GetIpInterfaceEntry", 1168, 2)]
    [InlineData("SetIpInterfaceEntry", 1168, 2)]
    [InlineData("GetIpInterfaceEntry", 2, 0)]
    [InlineData("SetIpInterfaceEntry", 2, 0)]
    public void An_interface_that_loses_it_or_goes_during_a_pass_fails_nothing(string function, int code, int named)
    {
        using WindowsAgent agent = new("", $"answer {function} {code} 99");
        PassReport report = agent.Pass();
        Assert.Empty(report.Failures);
        Assert.Equal(named, ProblemCatalog.Texts(report).Count(t => t.Contains("has no IPv4", StringComparison.Ordinal)));
        StandIn.Do($"answer {function} {code} 0");
        Assert.Empty(ProblemCatalog.All(agent.Pass()));
        Assert.Equal(["- Loopback", "4 vEthernet (Ethernet)", "4 vEthernet (cbr0)"], Forwarding());
    }

    // Interfaces by name: the families that they forward.
    private static string[] Forwarding() =>
        [.. StandIn.Ask("interfaces").Split('\n').Select(l => l.Split(' ', 7)).Select(w => $"{w[5]} {w[6].Replace(" Pseudo-Interface 1", "", StringComparison.Ordinal)}").Order(StringComparer.Ordinal)];
}
