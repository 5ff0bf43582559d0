using HostGw.Planning;
using HostGw.Problems;
using HostGw.Reconciliation;
using HostGw.Status;
using HostGw.Tests.Planning;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Status;

public class ReadinessTests
{
    [Fact]
    public void Not_before_the_first_pass() => Assert.Single(StatusBoard.NotReady(null));

    [Fact]
    public void After_a_pass_without_failure() => Assert.Empty(StatusBoard.NotReady(Reports.InOrder()));

    [Fact]
    public void Not_after_a_pass_in_which_something_was_refused() =>
        Assert.Equal(["add 10.244.3.0/24: add route 10.244.3.0/24: Network is unreachable"], StatusBoard.NotReady(Reports.First()));

    [Fact]
    public void Not_while_the_host_cannot_be_read() => Assert.Equal(["read the host: why"], StatusBoard.NotReady(Reports.Failed("why")));

    [Theory]
    [InlineData("b 10.244.2.0/24 10.0.0.2")]
    [InlineData("self - 10.0.0.1")]
    [InlineData("self rubbish 10.0.0.1")]
    public void Not_while_the_own_node_is_not_in_order(string node) =>
        Assert.Single(StatusBoard.NotReady(new Agent { Nodes = [node] }.Pass()));

    [Fact]
    public void Not_while_an_older_Node_holds_the_own_podCIDR_and_pods_get_no_network()
    {
        Agent agent = new("cni=on") { Nodes = ["self 10.244.1.0/24 10.0.0.1", "b 10.244.2.0/24 10.0.0.2 age=-9"] };
        agent.Pass();
        Assert.NotNull(agent.Host.Cni);

        agent.Nodes[1] = "b 10.244.1.0/24 10.0.0.2 age=-9";
        PassReport report = agent.Pass();

        string reason = Assert.Single(StatusBoard.NotReady(report));
        Assert.Contains("of the older node b, ", reason, StringComparison.Ordinal);
        Assert.Contains("re-create this node's Node self ", reason, StringComparison.Ordinal);
        Assert.Equal([reason], ProblemCatalog.Texts(report));
        Assert.Null(agent.Host.Cni);
    }

    // Another machine has fd00:aaaa::1. Readiness stays while the pods' other family works.
    [Theory]
    [InlineData("self fd00:10:244:1::/64 fd00:aaaa::1", "b fd00:10:244:2::/64 fd00:aaaa::2", false)]
    [InlineData("self fd00:10:244:1::/64 fd00:aaaa::1 external=2001:db8::1", "b fd00:10:244:2::/64 fd00:aaaa::2", false)]
    [InlineData("self fd00:10:244:1::/64 fd00:aaaa::1,fd00:aaaa::9", "b fd00:10:244:2::/64 fd00:aaaa::2", true)]
    [InlineData(Given.Self, "b 10.244.2.0/24,fd00:10:244:2::/64 10.0.0.2,fd00:aaaa::2", true)]
    public void Not_while_no_family_is_left_in_which_this_nodes_address_is_its_own(string self, string peer, bool isReady)
    {
        Agent agent = new("", "eth0 10.0.0.1/24 fd00:aaaa::9/64") { Nodes = [self, peer] };
        HostAddress duplicate = new(Ip.Parse("fd00:aaaa::1"), Prefix.Parse("fd00:aaaa::/64"), 2) { IsDuplicate = true };
        agent.Host.State = agent.Host.State with { DuplicateAddresses = [duplicate, duplicate with { Address = Ip.Parse("fd00:7::1") }] };

        PassReport report = agent.Pass();

        Problem problem = Assert.Single(ProblemCatalog.All(report));
        Assert.Equal(("DuplicateAddress", "fd00:aaaa::1"), (problem.Rule, problem.Subject));
        Assert.Contains("fd00:aaaa::1 on eth0 is not in use", problem.Text, StringComparison.Ordinal);
        Assert.EndsWith("then: ip addr del fd00:aaaa::1/64 dev eth0 && ip addr add fd00:aaaa::1/64 dev eth0", problem.Cure, StringComparison.Ordinal);
        Assert.Equal(isReady ? [] : [problem.Text], StatusBoard.NotReady(report));
        Assert.Equal(StatusBoard.NotReady(report), StatusBoard.NotReady(report.Lasting()));
        Assert.Contains(agent.Host.OurRoutes, r => r.StartsWith("fd00:10:244:2::/64", StringComparison.Ordinal));
    }

    [Fact]
    public void Other_nodes_and_conflicts_do_not_matter()
    {
        Agent agent = Reports.Agent();
        PassReport report = agent.Pass();

        Assert.NotEmpty(ProblemCatalog.Texts(report));
        Assert.Empty(StatusBoard.NotReady(report));
    }

    [Theory]
    [InlineData("interface=eth9", false, "self 10.244.1.0/24 10.0.0.1", "b 10.244.2.0/24 10.0.0.2")] // all waiting
    [InlineData("interface=eth9", true, "self 10.244.1.0/24 10.0.0.1")] // no peers
    [InlineData("", true, "self 10.244.1.0/24 10.0.0.1", "b 10.244.2.0/24 192.0.2.2")] // all on another segment
    [InlineData("", true, "self 10.244.1.0/24 10.0.0.1", "b rubbish 10.0.0.2")] // all refused
    [InlineData("", true, "self 10.244.1.0/24 - external=10.0.0.1", "b 10.244.2.0/24 - external=10.0.0.2")] // ExternalIPs only
    [InlineData("", false, "self 10.244.1.0/24 -", "b 10.244.2.0/24 192.0.2.2")] // this node without any address
    [InlineData("", true, "self 10.244.1.0/24 -", "b 10.244.2.0/24 10.0.0.2")] // but its host is on the peer's segment
    [InlineData("", false, "self 10.244.1.0/24 -", "b 10.244.2.0/24 -")] // nor any peer: before the cloud's controller
    [InlineData("interface=eth0", false, "self 10.244.1.0/24 -", "b 10.244.2.0/24 -")]
    [InlineData("", true, "self 10.244.1.0/24 10.0.0.1", "b 10.244.2.0/24 -")] // only the peer
    public void Not_while_this_host_has_no_way_to_any_peer(string policy, bool isReady, params string[] nodes)
    {
        IReadOnlyList<string> reasons = StatusBoard.NotReady(new Agent(policy) { Nodes = nodes }.Pass());

        Assert.Equal(isReady, reasons.Count == 0);
        Assert.All(reasons, r => Assert.StartsWith("no way to any peer: ", r, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("interface=10.0.0.0/24", "lb0 10.0.0.100/32")] // A12, after a reboot: the address is not there yet
    [InlineData("", "eth0")] // A13: eth0 has lost addresses and routes
    [InlineData("", "eth0 10.0.0.1/24 down")]
    public void Not_while_this_hosts_address_is_missing(string policy, string host)
    {
        Agent agent = new(policy, host) { Nodes = ["self 10.244.1.0/24 10.0.0.1", "b 10.244.2.0/24 10.0.0.2"] };
        Assert.StartsWith("no way to any peer: ", Assert.Single(StatusBoard.NotReady(agent.Pass())), StringComparison.Ordinal);
    }

    // eth0 has lost the address that b needs: b waits. What other peers are besides.
    [Theory]
    [InlineData(false, "c 10.244.3.0/24 10.0.0.3")] // waits
    [InlineData(false, "c rubbish 10.0.0.3")] // rejected
    [InlineData(false, "c 10.0.0.0/8 10.0.0.3")] // rejected by a guard
    [InlineData(false, "c 10.244.3.0/24 10.0.0.3 skip")]
    [InlineData(false, "c - 10.0.0.3")] // noPodCidr
    [InlineData(false, "c 10.244.3.0/24 -")] // noAddress
    [InlineData(false, "c fd00:10:244:3::/64 10.0.0.3")] // noAddress of the other family
    [InlineData(false, "c 10.244.3.0/24,fd00:10:244:3::/64 10.0.0.3,fd00:aaaa::3")] // waits; in the family that this node lacks notAdjacent
    [InlineData(true, "c 10.244.3.0/24 10.0.0.3 hop=10.9.0.3")] // routed by its annotation
    [InlineData(true, "c 10.244.3.0/24 10.9.0.3")] // routed over another interface
    [InlineData(true, "c fd00:10:244:3::/64 fd00:aaaa::3")] // notAdjacent
    public void Ready_if_only_some_peers_wait_and_not_if_the_others_prove_nothing(bool isReady, string other)
    {
        Agent agent = new("", "eth0; eth1 10.9.0.1/24") { Nodes = ["self 10.244.1.0/24 10.0.0.1", "b 10.244.2.0/24 10.0.0.2", other] };
        PassReport report = agent.Pass();

        Assert.Equal(VerdictKind.Waiting, report.Plan!.Verdicts.Single(v => v.Node.Name == "b").Kind);
        Assert.Equal(isReady ? 0 : 1, StatusBoard.NotReady(report).Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("interface=eth0")]
    [InlineData("PodGateway clusterCidrs=10.244.0.0/16,fd00:10:244::/56")]
    [InlineData("PodGateway interface=eth0")]
    public void Not_while_the_interface_has_lost_its_addresses_and_routes(string policy)
    {
        PassReport report = new Agent(policy, "eth0; cni0 10.244.1.1/24 fd00:10:244:1::1/64").Pass();
        Assert.StartsWith("no way to any peer: ", Assert.Single(StatusBoard.NotReady(report)), StringComparison.Ordinal);
    }

    // A setting that covers the nodes' addresses: a rolling update that brings it stops at the first node.
    [Theory]
    [InlineData("clusterCidrs=10.0.0.0/8", "10.244.1.0/24", false)]
    [InlineData("clusterCidrs=10.244.0.0/16,fd00::/16", "10.244.1.0/24,fd00:10:244:1::/64", false)]
    [InlineData("clusterCidrs=10.244.0.0/16,fd00::/16", "10.244.1.0/24", true)] // no pods in that family
    [InlineData("PodGateway clusterCidrs=10.0.0.0/8", "10.244.1.0/24", true)] // no next hop is a node's address
    public void Not_while_clusterCidrs_covers_this_nodes_address(string policy, string podCidrs, bool isReady)
    {
        Agent agent = new(policy)
        {
            Nodes = [$"self {podCidrs} 10.0.0.1,fd00:aaaa::1", "b 10.244.2.0/24,fd00:10:244:2::/64 10.0.0.2,fd00:aaaa::2"],
        };
        IReadOnlyList<string> reasons = StatusBoard.NotReady(agent.Pass());

        Assert.Equal(isReady ? 0 : 1, reasons.Count);
        Assert.All(reasons, r => Assert.Contains("lies inside clusterCidrs (", r, StringComparison.Ordinal));
    }

    [Fact]
    public void Not_while_passes_do_not_go_on()
    {
        ManualTime time = new();
        PassClock clock = new(time, TimeSpan.FromSeconds(60));
        StatusBoard board = new(clock);
        board.Record(Reports.InOrder());
        clock.End();
        Assert.Empty(board.View.NotReady);

        time.Advance(TimeSpan.FromSeconds(181));
        Assert.StartsWith("the last pass ended 181 s ago", Assert.Single(board.View.NotReady), StringComparison.Ordinal);
    }
}
