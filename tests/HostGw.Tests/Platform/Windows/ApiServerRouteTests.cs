using System.Runtime.Versioning;
using HostGw.Planning;

namespace HostGw.Tests.Platform.Windows;

[SupportedOSPlatform("windows")]
[Collection(nameof(WindowsTests))]
public sealed class ApiServerRouteTests
{
    // What a host endpoint with a gateway of its own does: off-link traffic leaves by the pods' bridge.
    private const string Swallowed = $"route 0.0.0.0/0 10.244.1.1 {WindowsAgent.PodEndpoint} 0 3";

    [Fact]
    public void Where_a_pod_network_takes_its_traffic_the_api_server_gets_a_route_over_the_uplinks_gateway()
    {
        using WindowsAgent agent = new("", Swallowed) { ApiServer = Ip.Parse("192.0.2.10") };
        agent.Pass();
        Assert.Contains("192.0.2.10/32 10.0.0.254 uplink 300", WindowsAgent.Routes);
        // It stands because of what would be without it.
        Assert.False(agent.Pass().Changed);
    }

    [Fact]
    public void It_goes_with_its_cause()
    {
        using WindowsAgent agent = new("", Swallowed) { ApiServer = Ip.Parse("192.0.2.10") };
        agent.Pass();
        StandIn.Do($"remove-route 0.0.0.0/0 10.244.1.1 {WindowsAgent.PodEndpoint}");
        agent.Pass();
        Assert.DoesNotContain(WindowsAgent.Routes, r => r.StartsWith("192.0.2.10", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", "", "192.0.2.10", "nothing takes its traffic")]
    [InlineData(Swallowed, "", "10.0.0.200", "it is a neighbour")]
    [InlineData(Swallowed, "serviceCidrs=192.0.2.0/24", "192.0.2.10", "it is a service's address")]
    public void There_is_none_where(string host, string policy, string apiServer, string because)
    {
        using WindowsAgent agent = new(policy, host.Length > 0 ? [host] : Array.Empty<string>()) { ApiServer = Ip.Parse(apiServer) };
        agent.Pass();
        Assert.False(WindowsAgent.Routes.Any(r => r.StartsWith(apiServer, StringComparison.Ordinal)), because);
    }

    [Fact]
    public void One_that_is_named_is_always_there_over_the_gateway_that_is_named()
    {
        using WindowsAgent agent = new("windows.api=198.51.100.1 windows.gateway=10.0.0.253");
        agent.Pass();
        Assert.Contains("198.51.100.1/32 10.0.0.253 uplink 300", WindowsAgent.Routes);
    }

    [Fact]
    public void An_on_link_route_to_all_pods_that_AddRoutes_left_does_not_replace_it()
    {
        using WindowsAgent agent = new(
            "clusterCidrs=10.244.0.0/16 windows.api=10.244.200.1", $"route 10.244.0.0/16 on-link {WindowsAgent.Uplink} 300 3");
        agent.Pass();
        Assert.Contains("10.244.200.1/32 10.0.0.254 uplink 300", WindowsAgent.Routes);
        Assert.False(agent.Pass().Changed);
    }

    [Fact]
    public void While_there_is_no_gateway_it_stays_as_it_stands()
    {
        using WindowsAgent agent = new("windows.api=198.51.100.1");
        agent.Pass();
        StandIn.Do($"remove-route 0.0.0.0/0 10.0.0.254 {WindowsAgent.Uplink}");
        agent.Pass();
        Assert.Contains("198.51.100.1/32 10.0.0.254 uplink 300", WindowsAgent.Routes);
    }
}
