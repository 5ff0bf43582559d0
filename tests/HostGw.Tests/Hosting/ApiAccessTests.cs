using System.Collections.Immutable;
using HostGw.Hosting;
using HostGw.Kubernetes;
using HostGw.Planning;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Hosting;

public class ApiAccessTests
{
    private static readonly ImmutableArray<IPEndPoint> Further = [IPEndPoint.Parse("10.0.0.6:6443"), IPEndPoint.Parse("10.0.0.5:6443")];

    [Theory]
    [InlineData("https://10.96.0.1", "", "10.0.0.5 10.0.0.6 10.96.0.1")]
    [InlineData("https://10.96.0.1", "10.96.0.1", "10.96.0.1 10.0.0.5 10.0.0.6")]
    [InlineData("https://10.96.0.1", "10.0.0.6", "10.0.0.6 10.0.0.5 10.96.0.1")]
    [InlineData("https://[fd00::1]:6443", "10.0.0.6", "10.0.0.6 10.0.0.5 fd00::1")]
    [InlineData("https://not-resolved-yet", "", "10.0.0.5 10.0.0.6")]
    public void All_addresses_of_the_API_server_are_known_the_connected_one_first(string server, string connected, string expected)
    {
        using ApiClient client = new(new ApiConfiguration { Server = new(server) }, "test", TimeProvider.System);
        Ip address = connected.Length > 0 ? Ip.Parse(connected) : default;
        Assert.Equal(expected, string.Join(' ', ApiAccess.Addresses(address, client, Further)));
    }

    // One is connected, one is the Service's, one is in its EndpointSlice.
    [Theory]
    [InlineData("172.16.5.0/24")]
    [InlineData("10.96.0.0/24")]
    [InlineData("172.16.6.0/24")]
    [InlineData("172.16.7.0/24", false)]
    public void A_podCIDR_that_covers_any_of_them_gets_no_route(string podCidr, bool isRefused = true)
    {
        Agent agent = new()
        {
            Nodes = ["self 10.244.1.0/24 10.0.0.1", $"b {podCidr} 10.0.0.2"],
            ApiServers = [Ip.Parse("172.16.5.5"), Ip.Parse("10.96.0.1"), Ip.Parse("172.16.6.6")],
        };
        Verdict verdict = agent.Pass().Plan!.Verdicts.Single(v => v.Node.Name == "b");

        Assert.Equal((isRefused ? VerdictKind.Rejected : VerdictKind.Routed, !isRefused), (verdict.Kind, agent.Host.OurRoutes.Any()));
    }
}
