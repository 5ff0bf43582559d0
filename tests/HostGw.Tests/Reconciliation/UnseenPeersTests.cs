using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;
using HostGw.Status;
using HostGw.Tests.Planning;
using NodeSnapshot = HostGw.Nodes.NodeSnapshot;

namespace HostGw.Tests.Reconciliation;

/// <summary>While a part of the node digest was never read, no other Node takes the packets of one in that part.</summary>
public class UnseenPeersTests
{
    private const string Self = "self 10.244.1.0/24 10.0.0.1", Other = "other 10.244.8.0/24 10.0.0.8";
    private const string Old = "old 10.244.4.0/24 10.0.0.4 age=1", Young = "young 10.244.4.0/24 10.0.0.9 age=9";

    private static readonly DigestHealth Whole = new([], IsPartial: false, 42), Part = Whole with { IsPartial = true };

    [Fact]
    public void A_younger_Node_does_not_get_the_podCIDR_of_one_that_was_not_read()
    {
        Agent agent = Restarted();
        string[] before = [.. agent.Host.OurRoutes];
        agent.Nodes = [Self, Other, Young];

        PassReport report = agent.Pass();

        Assert.Equal((true, new HeldRemovals(1, 2) { IsPartial = true }), (report.Routes.IsEmpty, report.HeldRemovals));
        Assert.Equal(before, agent.Host.OurRoutes);
        Assert.Contains(
            "1 of HostGw's 2 routes lead to nodes or addresses that the node digest does not list: " +
            "they are kept, and no other route takes their packets, until all of its shards have been read",
            ProblemCatalog.Texts(report));
        Assert.Equal(RouteState.Held, new RouteStates(report).Of(Prefix.Parse("10.244.4.0/24")));
        Assert.Equal(RouteState.Installed, new RouteStates(report).Of(Prefix.Parse("10.244.8.0/24")));
    }

    [Fact]
    public void Once_all_is_read_the_older_one_has_it()
    {
        Agent agent = Restarted();
        agent.Nodes = [Self, Other, Young];
        agent.Pass();
        (agent.Nodes, agent.Digest) = ([Self, Other, Old, Young], Whole);
        PassReport report = agent.Pass();
        Assert.Equal((true, null), (report.Routes.IsEmpty, report.HeldRemovals));
    }

    [Fact]
    public void Or_the_younger_one_if_the_older_one_is_gone_and_that_is_no_repair()
    {
        Agent agent = Restarted();
        agent.Nodes = [Self, Other, Young];
        agent.Pass();
        agent.Digest = Whole;
        PassReport report = agent.Pass();
        Assert.Equal("10.244.4.0/24 via 10.0.0.9 dev eth0", agent.Host.OurRoutes.First());
        Assert.Equal((null, 0L), (report.HeldRemovals, report.Repairs.RoutesChanged));
    }

    [Theory]
    [InlineData("10.244.4.0/24", false)]
    [InlineData("10.244.4.128/25", false)]
    [InlineData("10.244.4.0/23", true)]
    [InlineData("10.244.5.0/24", true)]
    public void Nothing_is_added_inside_its_podCIDR_and_what_takes_no_packet_from_it_is(string podCidr, bool isAdded)
    {
        Agent agent = Restarted();
        string[] before = [.. agent.Host.OurRoutes];
        agent.Nodes = [Self, Other, $"young {podCidr} 10.0.0.9"];

        PassReport report = agent.Pass();

        Assert.Equal(1, report.HeldRemovals?.Routes);
        Assert.Equal(isAdded ? [podCidr] : [], agent.Host.OurRoutes.Except(before).Select(r => r.Split(' ')[0]));
        Assert.Empty(before.Except(agent.Host.OurRoutes));
    }

    // Several Nodes may be annotated with one router.
    [Fact]
    public void Nor_where_a_Node_that_was_read_is_behind_the_same_router()
    {
        Agent agent = Restarted();
        agent.Nodes = [Self, "other 10.244.8.0/24 10.0.0.8 hop=10.0.0.4", Young];
        Assert.Equal(1, agent.Pass().HeldRemovals?.Routes);
        Assert.Contains("10.244.4.0/24 via 10.0.0.4 dev eth0", agent.Host.OurRoutes);
    }

    // As on Windows, where an interface got another metric.
    [Fact]
    public void Nor_is_its_route_exchanged_for_one_with_another_metric()
    {
        Agent agent = Restarted();
        agent.Host.Remove("10.244.4.0/24");
        agent.Host.Append("10.244.4.0/24 via 10.0.0.4 dev eth0 proto 157 metric 5");
        agent.Nodes = [Self, Other, Young];
        PassReport report = agent.Pass();
        Assert.Equal((true, 1), (report.Routes.IsEmpty, report.HeldRemovals?.Routes));
    }

    // A node without a podCIDR of its own removes nothing in any case, and adds routes.
    [Fact]
    public void Nor_by_a_node_that_only_adds_routes()
    {
        Agent agent = Restarted();
        string[] before = [.. agent.Host.OurRoutes];
        agent.Nodes = ["self - 10.0.0.1", Other, "young 10.244.4.0/25 10.0.0.9"];
        Assert.Equal(1, agent.Pass().HeldRemovals?.Routes);
        Assert.Equal(before, agent.Host.OurRoutes);
    }

    [Fact]
    public void Paths_to_the_younger_Node_are_not_compared_inside_its_podCIDR()
    {
        Agent agent = new("tunnel=auto", $"{Given.Lan}; hostgw0 10.244.1.1/32 noarp")
        {
            Nodes = [Self, Old, Other],
            Reachability = Given.Paths("10.244.4.0/24 Native", "10.244.8.0/24 Native"),
        };
        agent.Pass();
        string[] before = [.. agent.Host.OurRoutes];
        agent.Restart();
        (agent.Nodes, agent.Digest, agent.Reachability) =
            ([Self, Other, Young], Part, Given.Paths("10.244.4.0/24 Compared", "10.244.8.0/24 Compared"));

        agent.Pass();

        string[] added = [.. agent.Host.OurRoutes.Except(before)];
        Assert.Empty(before.Except(agent.Host.OurRoutes));
        Assert.NotEmpty(added);
        Assert.All(added, r => Assert.StartsWith("10.244.8.", r, StringComparison.Ordinal));
    }

    [Fact]
    public void A_Node_that_was_read_may_change_between_the_paths()
    {
        Agent agent = new("tunnel=auto", $"{Given.Lan}; hostgw0 10.244.1.1/32 noarp")
        {
            Nodes = [Self, Other],
            Reachability = Given.Paths("10.244.8.0/24 Native"),
        };
        agent.Pass();
        agent.Restart();
        (agent.Digest, agent.Reachability) = (Part, Given.Paths("10.244.8.0/24 Tunnel"));

        Assert.True(agent.Pass().Continues);
        Assert.Null(agent.Pass(WakeCauses.Links).HeldRemovals);
        Assert.Contains("hostgw0", agent.Host.OurRoutes.First(), StringComparison.Ordinal);
        agent.Restart();
        agent.Reachability = Given.Paths("10.244.8.0/24 Native");
        Assert.Null(agent.Pass().HeldRemovals);
        Assert.Contains("via 10.0.0.8 dev eth0", agent.Host.OurRoutes.First(), StringComparison.Ordinal);
    }

    [Fact]
    public void Guards_let_in_the_one_that_was_not_read()
    {
        Agent agent = new("tunnel=always", $"{Given.Lan}; hostgw0 10.244.1.1/32 noarp") { Nodes = [Self, Old, Other] };
        agent.Pass();
        agent.Restart();
        (agent.Nodes, agent.Digest) = ([Self, Other, Young], Part);

        PassReport report = agent.Pass();

        Assert.Equal(1, report.HeldRemovals?.Routes);
        Assert.Contains(Prefix.Parse("10.0.0.4/32"), report.Changes.Guards!.Tunnel!.Nodes);
    }

    // Its link is gone, its routes with it: what is repaired before all routes are read takes nothing from a route that is held.
    [Fact]
    public void An_early_repair_of_the_tunnel_adds_no_route_in_its_place()
    {
        Agent agent = new("tunnel=auto tunnel.source=254")
        {
            Nodes = [Self, Old, Other],
            Reachability = Given.Paths("10.244.4.0/24 Native", "10.244.8.0/24 Tunnel"),
        };
        Assert.True(agent.Pass().Continues);
        agent.Pass(WakeCauses.Links);
        agent.Restart();
        (agent.Nodes, agent.Digest) = ([Self, Other, Young], Part);
        agent.Reachability = Given.Paths("10.244.4.0/24 Tunnel", "10.244.8.0/24 Tunnel");
        Assert.NotNull(agent.Pass().HeldRemovals);
        agent.Host.SetTunnel(null);
        agent.Host.Remove("10.244.8.0/24");
        HostChanges? first = null;
        agent.Host.Applying = changes => first ??= changes;

        agent.Pass(WakeCauses.Links);

        Assert.Equal(["10.244.8.0/24", "10.244.8.254/32"], first!.Routes.Add.Select(r => $"{r.Destination}"));
        Assert.StartsWith("10.244.4.0/24 via 10.0.0.4 ", agent.Host.OurRoutes.First(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_that_changed_while_the_agent_was_away_waits_and_one_that_changes_now_does_not()
    {
        Agent agent = Restarted();
        agent.Nodes = [Self, Old, "other 10.244.8.0/24 10.0.0.88"];
        Assert.Equal(1, agent.Pass().HeldRemovals?.Routes);
        agent.Nodes = [Self, "old 10.244.4.0/24 10.0.0.44", agent.Nodes[2]];

        Assert.Equal(["replace 10.244.4.0/24"], agent.Did());

        agent.Digest = Whole;
        Assert.Equal(["replace 10.244.8.0/24"], agent.Did());
    }

    [Fact]
    public void A_Node_that_was_read_later_is_followed_before_all_others_are()
    {
        Agent agent = Restarted();
        agent.Nodes = [Self, Other, Young];
        agent.Pass();
        agent.Nodes = [Self, Other, Young, Old];
        Assert.Null(agent.Pass().HeldRemovals);
        agent.Nodes = [Self, Other, Young, "old 10.244.4.0/24 10.0.0.44 age=1"];
        Assert.Equal(["replace 10.244.4.0/24"], agent.Did());
    }

    [Fact]
    public void The_podCIDR_of_a_Node_that_was_read_passes_to_another()
    {
        Agent agent = Restarted();
        agent.Nodes = [Self, Old, Other];
        agent.Pass();
        agent.Nodes = [Self, Other, Young];
        Assert.Equal(["replace 10.244.4.0/24"], agent.Did());
    }

    // It was not there first: the agent itself has given it to the one that it knew.
    [Fact]
    public void What_was_added_meanwhile_is_given_to_the_older_one_when_it_is_read()
    {
        Agent agent = new() { Nodes = [Self, Young], Digest = Part };
        agent.Pass();
        agent.Nodes = [Self, Old];
        Assert.Equal(["replace 10.244.4.0/24"], agent.Did());
    }

    [Fact]
    public void Drift_of_routes_to_Nodes_that_were_read_is_repaired()
    {
        Agent agent = Restarted();
        agent.Nodes = [Self, Old, Other];
        agent.Pass();
        agent.Host.Overwrite("10.244.4.0/24 via 10.0.0.77 dev eth0 proto 157");
        PassReport report = agent.Pass(WakeCauses.Routes);
        Assert.Equal((null, 1L), (report.HeldRemovals, report.Repairs.RoutesChanged));
    }

    [Fact]
    public void A_Node_that_lists_no_address_any_more_keeps_its_route_and_nothing_waits()
    {
        Agent agent = Restarted();
        agent.Nodes = [Self, "old 10.244.4.0/24 -", Other];
        Assert.Null(agent.Pass().HeldRemovals);
    }

    // Such a next hop does not say whose it is.
    [Fact]
    public void A_next_hop_inside_the_podCIDR_gives_way_to_the_node_address()
    {
        Agent agent = new("PodGateway clusterRoute=on clusterCidrs=10.244.0.0/16") { Nodes = [Self, Old] };
        agent.Pass();
        agent.Restart("clusterRoute=on clusterCidrs=10.244.0.0/16");
        agent.Digest = Part;
        Assert.Contains("replace 10.244.4.0/24", agent.Did());
        Assert.Null(agent.Pass().HeldRemovals);
    }

    // The route to the cluster's whole pod network leads to no node in particular.
    [Fact]
    public void Nodes_join_inside_a_cluster_route_that_is_no_longer_wanted()
    {
        Agent agent = new("PodGateway clusterRoute=on clusterCidrs=10.244.0.0/16") { Nodes = [Self, Old] };
        agent.Pass();
        agent.Restart("clusterCidrs=10.244.0.0/16");
        (agent.Nodes, agent.Digest) = ([Self, Old, Other], Part);
        Assert.Contains("add 10.244.8.0/24", agent.Did());
    }

    // A file that was saved from a part holds less than the host's routes, and nobody says more while the API server is away.
    [Fact]
    public void A_start_from_nodes_that_were_saved_in_part_removes_nothing_and_gives_nothing_away()
    {
        Agent agent = Restarted();
        string[] before = [.. agent.Host.OurRoutes];
        NodeStore store = new();
        Assert.True(store.Restore(new(Given.Nodes(Self, "young 10.244.4.128/25 10.0.0.9"), "7", DateTimeOffset.UnixEpoch, default)
        {
            PartialFrom = DateTimeOffset.UnixEpoch,
        }));
        NodeSnapshot snapshot = store.Snapshot;

        PassReport report = new Reconciler(agent.Host, Given.Policy(""), default, agent.Time).Run(snapshot, [], WakeCauses.Start);

        Assert.Equal((new HeldRemovals(2, 2) { IsPartial = true }, true), (report.HeldRemovals, report.Routes.IsEmpty));
        Assert.Equal(before, agent.Host.OurRoutes);
    }

    private static Agent Restarted()
    {
        Agent agent = new() { Nodes = [Self, Old, Other] };
        agent.Pass();
        Assert.Equal(2, agent.Host.OurRoutes.Count());
        agent.Restart();
        agent.Digest = Part;
        return agent;
    }
}
