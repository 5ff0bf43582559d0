using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>`hostgw doctor` on real kernels: nothing where all is well, and the cause where somebody broke it.</summary>
public sealed class DoctorTests : LabTest
{
    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(3);

    private Node One => Cluster.Node(1);

    [Fact]
    public async Task Where_the_agent_keeps_all_in_order_it_finds_nothing()
    {
        await StartFirstAgentAsync();
        Assert.Empty(Cluster.Agent(One).Diagnose());
    }

    [Theory]
    [InlineData("ip route delete 192.168.2.0/24", "routes")]
    [InlineData("ip route add 192.168.2.128/25 via 10.0.0.13 dev eth0 proto 4", "shadowed")]
    [InlineData("ip route replace 192.168.2.0/24 via 10.0.0.13 dev eth0 proto 12", "conflict")]
    [InlineData("sysctl -qw net.ipv4.ip_forward=0", "forwarding")]
    [InlineData("sysctl -qw net.ipv6.conf.all.forwarding=0", "forwarding")]
    [InlineData("ip link set eth0 down", "apiServer")]
    [InlineData("nft delete table inet hostgw", "masquerade")]
    [InlineData("iptables-nft -P FORWARD DROP", "forwardDrop")]
    [InlineData("iptables-nft -t nat -A POSTROUTING -s 192.168.0.0/16 -j MASQUERADE", "foreignMasquerade")]
    [InlineData("nft add table inet f; nft add chain inet f drops '{ type filter hook forward priority 0; policy drop; }'", "foreignDrop")]
    [InlineData("ip link set cni0 mtu 9000", "mtu")]
    public async Task What_somebody_broke_while_no_agent_ran_is_named(string command, string rule)
    {
        await StartFirstAgentAsync();
        await Cluster.Agent(One).StopAsync();

        One.Network.Exec("sh", "-c", command);

        Assert.Contains(rule, Cluster.Agent(One).Diagnose());
    }

    [Fact]
    public async Task An_API_server_that_is_gone_is_named()
    {
        await StartFirstAgentAsync();
        await Cluster.Agent(One).StopAsync();
        await Cluster.Api.Server.StopListeningAsync();

        Assert.Equal(["apiServer"], Cluster.Agent(One).Diagnose());
    }
}
