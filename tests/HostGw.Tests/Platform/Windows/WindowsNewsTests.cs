using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Windows;
using HostGw.Platform.Windows.Interop;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Platform.Windows;

[SupportedOSPlatform("windows")]
public class WindowsNewsTests
{
    // Routes by another program's gateway.
    [Theory]
    [InlineData("0.0.0.0/0", true)]
    [InlineData("10.244.2.0/24", true)]
    [InlineData("10.244.2.128/25", true)]
    [InlineData("10.244.2.7/32", true)]
    [InlineData("10.244.1.0/24", true)]
    [InlineData("10.244.1.7/32", true)]
    [InlineData("10.244.0.0/16", false)]
    [InlineData("10.244.9.0/25", false)]
    [InlineData("172.20.0.0/16", false)]
    public void A_foreign_route_inside_a_peers_podCIDR_or_this_nodes_own_wakes_a_pass(string destination, bool expected)
    {
        WindowsNews news = new();
        news.Expect(Planner.Plan(
            Given.Nodes("self 10.244.1.0/24 10.0.0.1 windows", "a 10.244.2.0/24 10.0.0.2"), Given.Host(Given.Lan), Given.Policy("")));
        MIB_IPFORWARD_ROW2 row = new() { InterfaceIndex = 2 };
        RouteRow.WriteKey(ref row, new(Prefix.Parse(destination), Ip.Parse("10.0.0.9"), Luid: 1));
        foreach (bool isNew in (bool[])[true, false])
            Assert.Equal(expected ? WakeCauses.Routes : WakeCauses.None, news.JudgeRoute(row, isNew));
    }
}
