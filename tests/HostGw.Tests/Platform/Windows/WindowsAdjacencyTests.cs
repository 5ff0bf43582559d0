using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;

namespace HostGw.Tests.Platform.Windows;

/// <summary>Which peers are on-link is what the host's route table says, as Windows lists it.</summary>
[SupportedOSPlatform("windows")]
[Collection(nameof(WindowsTests))]
public sealed class WindowsAdjacencyTests
{
    private const string Up = WindowsAgent.Uplink;

    // NET_LUID: its upper 16 bits are the type of the interface.
    private const string Storage = "0006008003000000", Wifi = "0047008003000000", Ppp = "0017008003000000", Tunnel = "0083008003000000",
        WireGuard = "0035008003000000", Broadband = "00F3008003000000", Loopback = "0018000001000000";

    private static readonly string[] Second = [$"interface {Storage} 20 up 25 - Storage", $"address {Storage} 192.168.5.1/24"];

    public static TheoryData<string, string, string[], string> Cases => new()
    {
        { "a neighbour", "10.0.0.2", [], "vEthernet (Ethernet)" },
        { "over a second interface", "192.168.5.2", Second, "Storage" },
        {
            "an address alone is no proof: somebody removed its prefix's route", "10.0.0.2",
            [$"remove-route 10.0.0.0/24 on-link {Up}"], "NotAdjacent"
        },
        {
            "this node has a /32, and a route without a gateway", "10.0.0.2",
            [$"remove-address {Up} 10.0.0.1/24", $"address {Up} 10.0.0.1/32", $"route 10.0.0.0/24 on-link {Up} 1 3"], "vEthernet (Ethernet)"
        },
        { "a more specific route over a gateway", "10.0.0.2", [$"route 10.0.0.0/29 10.0.0.254 {Up} 1 3"], "NotAdjacent" },
        {
            "a more specific route over another interface", "10.0.0.2", [.. Second, $"route 10.0.0.0/29 on-link {Storage} 1 3"], "Storage"
        },
        {
            "the lower metric, interface and route together", "10.0.0.2",
            [.. Second, $"route 10.0.0.0/24 on-link {Storage} 200 3"], "Storage"
        },
        {
            "the lower metric of the route, and a high one of the interface", "10.0.0.2",
            [$"interface {Storage} 20 up 5000 - Storage", $"route 10.0.0.0/24 on-link {Storage} 1 3"], "vEthernet (Ethernet)"
        },
        {
            "a tie: the interface of this node's address", "10.0.0.2",
            [.. Second, $"route 10.0.0.0/24 on-link {Storage} 256 3"], "vEthernet (Ethernet)"
        },
        { "wireless", "192.168.5.2", [$"interface {Wifi} 20 up 25 - W", $"address {Wifi} 192.168.5.1/24"], "W" },
        { "dialled", "192.168.5.2", [$"interface {Ppp} 20 up 25 - P", $"address {Ppp} 192.168.5.1/24"], "NotAdjacent" },
        { "a tunnel", "192.168.5.2", [$"interface {Tunnel} 20 up 25 - T", $"address {Tunnel} 192.168.5.1/24"], "NotAdjacent" },
        {
            "mobile broadband", "192.168.5.2",
            [$"interface {Broadband} 20 up 25 - B", $"address {Broadband} 192.168.5.1/24"], "NotAdjacent"
        },
        {
            "a VPN that takes a neighbour", "10.0.0.2",
            [$"interface {WireGuard} 20 up 5 - VPN", $"address {WireGuard} 10.9.0.1/32",
                $"route 10.0.0.2/32 on-link {WireGuard} 0 3"], "NotAdjacent"
        },
        {
            "a VPN that takes everything else", "192.0.2.2",
            [$"interface {Storage} 20 up 5 - VPN", $"route 0.0.0.0/1 on-link {Storage} 0 3",
                $"route 128.0.0.0/1 on-link {Storage} 0 3"], "NotAdjacent"
        },
        { "a default route without a gateway", "192.0.2.2", [$"route 0.0.0.0/0 on-link {Up} 0 3"], "NotAdjacent" },
        { "multicast, which every interface lists", "224.0.0.5", [], "NotAdjacent" },
        { "broadcast to everybody", "255.255.255.255", [], "NotAdjacent" },
        { "the segment's broadcast address", "10.0.0.255", [], "NoAddress" },
        { "an address of this host", "192.168.5.1", Second, "NoAddress" },
        { "the loopback network", "127.0.0.2", [], "NotAdjacent" },
        { "disconnected", "192.168.5.2", [.. Second, $"interface {Storage} 20 down 25 - Storage"], "Waiting" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_next_hop_is_on_link_as_the_table_says(string because, string address, string[] host, string expected)
    {
        using WindowsAgent agent = new("", host) { Nodes = [WindowsAgent.Self, $"peer 10.244.2.0/24 {address}"] };
        PassReport report = agent.Pass();
        Assert.Empty(report.Failures);
        Verdict verdict = Of("peer", report);
        string found = verdict.Kind == VerdictKind.Routed ? agent.NameOf(verdict.Interface) : verdict.Kind.ToString();
        Assert.True(expected == found, $"{because}: {found}, {verdict.Reason}");
    }

    [Theory]
    [InlineData("Stor*", "NotAdjacent", "Storage")]
    [InlineData("192.168.5.0/24", "NotAdjacent", "Storage")]
    [InlineData("vEthernet (Ethernet)", "vEthernet (Ethernet)", "NotAdjacent")]
    [InlineData("*", "vEthernet (Ethernet)", "Storage")]
    public void The_setting_interface_narrows_them(string setting, string first, string second)
    {
        using WindowsAgent agent = new(p => p with { Interface = setting }, Second)
        {
            Nodes = [WindowsAgent.Self, "a 10.244.2.0/24 10.0.0.2", "b 10.244.3.0/24 192.168.5.2"],
        };
        PassReport report = agent.Pass();
        Assert.Equal([first, second], ((string[])["a", "b"]).Select(n => Of(n, report)).Select(
            v => v.Kind == VerdictKind.Routed ? agent.NameOf(v.Interface) : v.Kind.ToString()));
    }

    [Fact]
    public void One_whose_on_link_route_somebody_removed_keeps_its_route_over_the_uplink()
    {
        using WindowsAgent agent = new();
        agent.Pass();
        string[] before = [.. WindowsAgent.PodRoutes];
        StandIn.Do($"remove-route 10.0.0.0/24 on-link {Up}");
        PassReport report = agent.Pass(WakeCauses.Routes);
        Assert.Equal(before, WindowsAgent.PodRoutes);
        Assert.Contains("the installed route over vEthernet (Ethernet) is kept", Of("linux", report).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_two_interfaces_to_one_segment_that_of_the_installed_route_remains()
    {
        using WindowsAgent agent = new("", [.. Second, $"route 10.0.0.0/24 on-link {Storage} 1 3"]);
        Assert.Equal("Storage", agent.NameOf(Of("linux", agent.Pass()).Interface));
        StandIn.Do($"route 10.0.0.0/24 on-link {Storage} 256 3");
        Assert.Equal("Storage", agent.NameOf(Of("linux", agent.Pass(WakeCauses.Routes)).Interface));
        Assert.Contains($"10.244.2.0/24 10.0.0.2 {Storage} 300", WindowsAgent.PodRoutes);
    }

    [Fact]
    public void What_windows_lists_of_each_interface_is_no_pod()
    {
        using WindowsAgent agent = new(
            "clusterCidrs=10.244.0.0/16", $"interface {Storage} 20 up 25 - vEthernet (old)", $"address {Storage} 10.244.9.2/24");
        Assert.Contains($"10.244.9.255/32 on-link {Storage}", StandIn.Ask("routes"), StringComparison.Ordinal);
        Assert.Contains($"224.0.0.0/4 on-link {Loopback}", StandIn.Ask("routes"), StringComparison.Ordinal);
        PassReport report = agent.Pass();
        Assert.Empty(ProblemCatalog.Texts(report));
        Problem found = Assert.Single(agent.Examine(report), p => p.Rule == "formerPods");
        Assert.Contains("vEthernet (old) has 10.244.9.2", found.Text, StringComparison.Ordinal);
        Assert.Contains("Remove-HnsNetwork", found.Cure, StringComparison.Ordinal);
    }

    private static Verdict Of(string node, PassReport report) => report.Plan!.Verdicts.Single(v => v.Node.Name == node);
}
