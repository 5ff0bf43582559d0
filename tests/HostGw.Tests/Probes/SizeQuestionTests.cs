using HostGw.Planning;
using HostGw.Probes;
using HostGw.Tests.Planning;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Probes;

/// <summary>Whom `hostgw doctor --probe` asks with datagrams of which size.</summary>
public class SizeQuestionTests
{
    // The peer; then "SOURCE > DESTINATION LENGTH over INTERFACE".
    [Theory]
    [InlineData("a 10.244.2.0/24,fd00:10:244:2::/64 10.0.0.2,fd00:aaaa::2",
        "10.244.1.0 > 10.244.2.0 1472 over eth0", "fd00:10:244:1:: > fd00:10:244:2:: 1452 over eth0")]
    [InlineData("a 10.244.2.0/24 10.1.0.2")]
    [InlineData("a 10.244.2.0/24 10.0.0.2 windows", "10.244.1.0 > 10.244.2.2 1472 over eth0")]
    public void A_peer_is_asked_from_probe_address_to_probe_address_with_what_the_interface_takes(string peer, params string[] expected) =>
        Assert.Equal(expected, Of(Host(1500, "10.244.1.0", "fd00:10:244:1::"), peer));

    [Fact]
    public void Without_a_probe_address_of_its_own_a_family_is_not_asked() => Assert.Equal(
        ["fd00:10:244:1:: > fd00:10:244:2:: 8952 over eth0"],
        Of(Host(9000, "fd00:10:244:1::"), "a 10.244.2.0/24,fd00:10:244:2::/64 10.0.0.2,fd00:aaaa::2"));

    // By the route of their own that probe addresses have then.
    [Theory]
    [InlineData("auto", "10.244.1.0 > 10.244.2.0 1472 over eth0")]
    [InlineData("always")]
    public void A_peer_in_the_tunnel_is_asked_on_the_native_path(string mode, params string[] expected) =>
        Assert.Equal(expected, Of(Host(1500, "10.244.1.0"), "a 10.244.2.0/24 10.0.0.2", $"tunnel={mode}"));

    [Fact]
    public void No_packet_is_larger_than_one_can_be() => Assert.Equal(
        ["10.244.1.0 > 10.244.2.0 65507 over eth0"], Of(Host(65_536, "10.244.1.0"), "a 10.244.2.0/24 10.0.0.2"));

    private static HostState Host(int mtu, params string[] probeAddresses)
    {
        HostState host = Given.Host($"{Given.Lan}; hostgw0 10.244.1.1/32 noarp");
        return host with
        {
            Interfaces = [.. host.Interfaces.Select(i => i with { Mtu = mtu })],
            ProbeRoutes = [.. probeAddresses.Select(a => ModelHost.LocalRoute(Ip.Parse(a)))],
        };
    }

    private static IEnumerable<string> Of(HostState host, string peer, string policy = "") =>
        from question in SizeQuestion.Of(
            Planner.Plan(Given.Nodes(Given.Self, peer), host, Given.Policy(policy), null, Given.Paths("10.244.2.0/24 Tunnel")), host)
        select $"{question.Source} > {question.Destination} {question.Length} over {question.Interface}";
}
