using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;

namespace HostGw.Tests.Reconciliation;

/// <summary>A plan that would remove most of our routes waits for a quorum read.</summary>
public class RemovalBrakeTests
{
    [Theory]
    [InlineData(8, 5, true)]
    [InlineData(8, 4, false)]
    [InlineData(4, 4, true)]
    [InlineData(3, 3, false)]
    [InlineData(7, 4, true)]
    [InlineData(100, 50, false)]
    [InlineData(100, 51, true)]
    public void More_than_half_and_more_than_three_is_held(int standing, int removed, bool isHeld)
    {
        Agent agent = Running(standing);
        agent.Nodes = Cluster(standing - removed);
        PassReport report = agent.Pass();
        Assert.Equal(isHeld ? new HeldRemovals(removed, standing) : null, report.HeldRemovals);
        Assert.Equal(isHeld ? standing : standing - removed, agent.Host.OurRoutes.Count());
    }

    // Of dual-stack peers it is never most of all routes.
    [Theory]
    [InlineData("10.244.{0}.0/24")]
    [InlineData("fd00:10:244:{0}::/64")]
    public void Most_routes_of_one_family_are_held(string left)
    {
        Agent agent = new() { Nodes = DualStack(4) };
        agent.Pass();
        Assert.Equal(8, agent.Host.OurRoutes.Count());

        agent.Nodes = DualStack(4, left);
        Assert.Equal(new HeldRemovals(4, 8), agent.Pass().HeldRemovals);
        Assert.Equal(8, agent.Host.OurRoutes.Count());
        agent.QuorumReads++;
        agent.Pass();
        Assert.Equal(4, agent.Host.OurRoutes.Count());
    }

    // Routes of both families count together as well: a cluster of two dual-stack peers has four.
    [Fact]
    public void Few_of_each_family_are_held_together()
    {
        Agent agent = new() { Nodes = DualStack(2) };
        agent.Pass();
        agent.Nodes = [Planning.Given.Self];
        Assert.Equal(new HeldRemovals(4, 4), agent.Pass().HeldRemovals);
    }

    private static string[] DualStack(int peers, string podCidrs = "10.244.{0}.0/24,fd00:10:244:{0}::/64") =>
    [
        Planning.Given.Self,
        .. from n in Enumerable.Range(2, peers)
           select $"n{n} {podCidrs.Replace("{0}", $"{n}", StringComparison.Ordinal)} 10.0.0.{n},fd00:aaaa::{n}",
    ];

    // An agent that starts beside a digest of which a shard is rejected: what it does not know may exist.
    [Fact]
    public void While_a_part_of_the_digest_was_never_read_nothing_is_removed()
    {
        Agent agent = Running(6);
        string exempt = Exempt(agent);
        agent.Restart();
        (agent.Nodes, agent.Digest) = (Cluster(5), new([new("hostgw-nodes-007", "missing")], IsPartial: true, 42));

        PassReport report = agent.Pass();
        Assert.Equal(new HeldRemovals(1, 6) { IsPartial = true }, report.HeldRemovals);
        agent.QuorumReads++;
        Assert.NotNull(agent.Pass().HeldRemovals);
        Assert.Equal((6, exempt), (agent.Host.OurRoutes.Count(), Exempt(agent)));

        agent.Digest = agent.Digest with { IsPartial = false };
        Assert.Null(agent.Pass().HeldRemovals);
        Assert.Equal(5, agent.Host.OurRoutes.Count());
    }

    // It may last until somebody comes: repairs go on, and do not forget whom the routes that are kept lead to.
    [Fact]
    public void Meanwhile_NAT_is_repaired_and_exempts_those_whom_routes_still_reach()
    {
        Agent agent = Running(6);
        agent.Restart();
        (agent.Nodes, agent.Digest) = (Cluster(5), new([new("hostgw-nodes-007", "missing")], IsPartial: true, 42));
        agent.Host.LoseNat();

        agent.Pass();

        Assert.Contains("10.244.7.0/24", Exempt(agent), StringComparison.Ordinal);
    }

    [Fact]
    public void A_node_that_joins_meanwhile_gets_its_route()
    {
        Agent agent = new() { Nodes = Cluster(2), Digest = new([], IsPartial: true, 42) };
        PassReport report = agent.Pass();
        Assert.Equal((2, true, null), (agent.Host.OurRoutes.Count(), report.Changes.ChangesNat, report.HeldRemovals));
    }

    [Fact]
    public void It_is_followed_once_the_nodes_were_read_by_quorum_and_not_before()
    {
        Agent agent = Running(6);
        agent.QuorumReads = 3;
        agent.Nodes = Cluster(1);
        Assert.NotNull(agent.Pass().HeldRemovals);
        Assert.NotNull(agent.Pass(WakeCauses.Resync).HeldRemovals);
        Assert.Equal(6, agent.Host.OurRoutes.Count());

        agent.QuorumReads = 4;
        Assert.Null(agent.Pass().HeldRemovals);
        Assert.Single(agent.Host.OurRoutes);
        Assert.Equal("10.244.1.0/24,10.244.2.0/24", Exempt(agent));
    }

    // A network that carries pods' packets again ends the comparison with all peers at once.
    [Fact]
    public void Routes_that_compare_paths_come_and_go_without_a_quorum_read()
    {
        string[] peers = [.. Enumerable.Range(2, 8).Select(n => $"10.244.{n}.0/24")];
        Agent agent = new("tunnel=auto", $"{Planning.Given.Lan}; hostgw0 10.244.1.1/32 noarp")
        {
            Nodes = [Planning.Given.Self, .. Enumerable.Range(2, 8).Select(n => $"n{n} 10.244.{n}.0/24 10.0.0.{n}")],
            Reachability = Planning.Given.Paths(peers.Select(p => $"{p} Compared")),
        };
        agent.Pass();
        Assert.Equal(24, agent.Host.OurRoutes.Count());

        agent.Reachability = Planning.Given.Paths(peers.Select(p => $"{p} Native"));
        Assert.Null(agent.Pass().HeldRemovals);
        Assert.Equal(8, agent.Host.OurRoutes.Count());
    }

    // What they lead into must not go before them.
    [Fact]
    public void While_routes_into_the_tunnel_are_held_their_guards_are_left_alone()
    {
        Agent agent = new("tunnel=always", $"{Planning.Given.Lan}; hostgw0 10.244.1.1/32 noarp")
        {
            Nodes = [Planning.Given.Self, .. Enumerable.Range(2, 8).Select(n => $"n{n} 10.244.{n}.0/24 192.0.2.{n}")],
        };
        Assert.True(agent.Pass().Changes.ChangesGuards);
        agent.Restart("tunnel=off");
        PassReport held = agent.Pass();
        Assert.NotNull(held.HeldRemovals);
        Assert.False(held.Changes.ChangesGuards);
    }

    [Fact]
    public void A_quorum_read_of_earlier_does_not_count_for_a_later_removal()
    {
        Agent agent = Running(8);
        agent.Nodes = Cluster(1);
        agent.Pass();
        agent.Nodes = Cluster(8);
        Assert.Null(agent.Pass().HeldRemovals);

        agent.QuorumReads = 1;
        agent.Nodes = Cluster(1);
        Assert.NotNull(agent.Pass().HeldRemovals);
        agent.QuorumReads = 2;
        Assert.Null(agent.Pass().HeldRemovals);
    }

    [Fact]
    public void Meanwhile_what_stands_keeps_its_exemption_repairs_are_made_and_new_peers_get_their_route()
    {
        Agent agent = Running(6);
        agent.Nodes = [.. Cluster(1), "new 10.244.99.0/24 10.0.0.99"];
        Assert.Equal(["nat changed", "add 10.244.99.0/24"], agent.Did());
        Assert.Contains("10.244.7.0/24", Exempt(agent), StringComparison.Ordinal);

        agent.Host.Remove("10.244.99.0/24");
        agent.Host.LoseNat();
        Assert.Equal(["nat created", "add 10.244.99.0/24"], agent.Did());
        Assert.Contains("10.244.7.0/24", Exempt(agent), StringComparison.Ordinal);
        Assert.Empty(agent.Did());
    }

    [Fact]
    public void A_change_of_the_rule_that_waited_with_the_removals_is_no_repair()
    {
        Agent agent = Running(6);
        agent.Restart();
        agent.Nodes = Cluster(1);
        Assert.NotNull(agent.Pass(WakeCauses.Start).HeldRemovals);

        agent.QuorumReads = 1;
        PassReport made = agent.Pass();
        Assert.Equal(("changed", 0), (made.Result.NatChange, made.Repairs.Masquerade));
        agent.Host.LoseNat();
        Assert.Equal(1, agent.Pass(WakeCauses.Nat).Repairs.Masquerade);
    }

    [Fact]
    public void After_a_restart_the_rule_that_stands_is_left_alone_while_removals_wait()
    {
        Agent agent = Running(6);
        string exempt = Exempt(agent);
        agent.Restart();
        agent.Nodes = Cluster(1);
        Assert.NotNull(agent.Pass().HeldRemovals);
        Assert.Equal(exempt, Exempt(agent));
    }

    [Fact]
    public void The_rule_of_a_confirmed_removal_is_no_repair()
    {
        Agent agent = Running(6);
        agent.Nodes = Cluster(1);
        agent.Pass();
        agent.QuorumReads++;
        Assert.Equal(0, agent.Pass().Repairs.Masquerade);
    }

    // A cloud's controller takes one Node after the other.
    [Fact]
    public void Removals_of_ten_minutes_count_together()
    {
        Agent agent = Running(24);
        for (int left = 23; left >= 12; left--)
        {
            agent.Nodes = Cluster(left);
            Assert.Null(agent.Pass().HeldRemovals);
            agent.Time.Advance(TimeSpan.FromSeconds(40));
        }
        agent.Nodes = Cluster(11);
        PassReport held = agent.Pass();
        Assert.Equal(new HeldRemovals(1, 24) { Earlier = 12 }, held.HeldRemovals);
        Assert.Contains(ProblemCatalog.Texts(held), t => t.StartsWith(
            "1 of HostGw's 24 routes would be removed, after 12 within 10 minutes: they are kept", StringComparison.Ordinal));
        agent.Nodes = Cluster(9);
        Assert.Equal(12, Remaining(agent));

        agent.QuorumReads++;
        Assert.Equal(9, Remaining(agent));
        // What was confirmed no longer counts.
        agent.Nodes = Cluster(5);
        Assert.Equal(5, Remaining(agent));
    }

    [Fact]
    public void Removals_of_longer_ago_do_not_count()
    {
        Agent agent = Running(24);
        agent.Nodes = Cluster(12);
        Assert.Equal(12, Remaining(agent));
        agent.Time.Advance(TimeSpan.FromMinutes(10.1));
        agent.Nodes = Cluster(6);
        Assert.Equal(6, Remaining(agent));
    }

    [Fact]
    public void Nodes_that_come_back_are_no_removals()
    {
        Agent agent = Running(8);
        for (int i = 0; i < 20; i++)
        {
            agent.Nodes = [.. Cluster(8).Where((_, n) => n != 1 + (i % 8))];
            Assert.Null(agent.Pass().HeldRemovals);
            agent.Nodes = Cluster(8);
            Assert.Null(agent.Pass().HeldRemovals);
        }
    }

    [Fact]
    public void A_removal_that_the_host_refuses_counts_once()
    {
        Agent agent = Running(8);
        agent.Host.Refusal = what =>
            what.StartsWith("delete", StringComparison.Ordinal) ? new HostRefusal("Operation not permitted") : null;
        agent.Nodes = Cluster(4);
        for (int i = 0; i < 9; i++)
            Assert.Null(agent.Pass().HeldRemovals);
    }

    [Fact]
    public void It_is_said()
    {
        Agent agent = Running(6);
        agent.Nodes = Cluster(1);
        Assert.Contains(
            "5 of HostGw's 6 routes would be removed: they are kept until the API server confirms it by a quorum read",
            ProblemCatalog.Texts(agent.Pass()));
    }

    // Another daemon's routes lead to it, or none: its packets keep the pod's address all the same.
    [Fact]
    public void While_removals_are_held_a_peer_without_a_route_of_ours_stays_exempt()
    {
        Agent agent = Running(6);
        agent.Nodes = [.. Cluster(6), "beyond 10.244.98.0/24 192.0.2.9"];
        Assert.Equal(6, Remaining(agent));
        Assert.Contains("10.244.98.0/24", Exempt(agent), StringComparison.Ordinal);
        agent.Nodes = Cluster(1);
        Assert.NotNull(agent.Pass().HeldRemovals);
        Assert.Contains("10.244.98.0/24", Exempt(agent), StringComparison.Ordinal);
    }

    [Fact]
    public void While_removals_are_held_masquerading_is_not_turned_off()
    {
        Agent agent = Running(6);
        string exempt = Exempt(agent);
        agent.Restart("nat=off");
        agent.Nodes = Cluster(1);
        PassReport held = agent.Pass();
        Assert.Equal((true, false), (held.HeldRemovals is not null, held.Changes.ChangesNat));
        Assert.Equal(exempt, Exempt(agent));
    }

    [Theory]
    [InlineData("tunnel=always tunnel.source=254")]
    [InlineData("tunnel=off tunnel.source=254")]
    public void While_routes_into_the_tunnel_are_held_its_link_is_put_in_order_and_not_deleted(string policy)
    {
        Agent agent = Tunnelled();
        agent.Restart(policy);
        agent.Nodes = agent.Nodes[..2];
        bool isPlanned = policy.Contains("always", StringComparison.Ordinal);
        if (isPlanned)
            agent.Host.State = agent.Host.State with { Tunnel = agent.Host.State.Tunnel! with { IsUp = false } };

        PassReport held = agent.Pass();

        Assert.NotNull(held.HeldRemovals);
        Assert.Equal((true, isPlanned), (agent.Host.State.Tunnel is { IsUp: true }, !held.Changes.Tunnel.IsEmpty));
    }

    // A hold may last: until it ends, peers that the plan knows need the new source, and routes that are kept the old one.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void While_routes_into_the_tunnel_are_held_a_new_source_is_added_and_the_old_one_kept(bool isUp)
    {
        Agent agent = Tunnelled();
        agent.Restart("tunnel=always tunnel.source=253");
        agent.Nodes = agent.Nodes[..2];
        agent.Host.State = agent.Host.State with { Tunnel = agent.Host.State.Tunnel! with { IsUp = isUp } };

        Assert.NotNull(agent.Pass().HeldRemovals);
        Assert.Equal(["10.244.1.253", "10.244.1.254"], Sources(agent).Order());

        agent.QuorumReads++;
        Assert.Null(agent.Pass().HeldRemovals);
        agent.Pass();
        Assert.Equal(["10.244.1.253"], Sources(agent));
    }

    [Fact]
    public void While_routes_into_the_tunnel_are_held_links_under_other_names_are_deleted()
    {
        Agent agent = Tunnelled();
        agent.Restart("tunnel=always tunnel.source=254");
        agent.Nodes = agent.Nodes[..2];
        HostInterface stray = new(99, "renamed", IsUp: true, IsLoopback: false) { IsTunnel = true };
        agent.Host.State = agent.Host.State with { Interfaces = [.. agent.Host.State.Interfaces, stray] };

        PassReport held = agent.Pass();

        Assert.NotNull(held.HeldRemovals);
        Assert.Equal([stray], held.Changes.Tunnel.Strays);
    }

    private static Agent Tunnelled()
    {
        Agent agent = new("tunnel=always tunnel.source=254")
        {
            Nodes = [Planning.Given.Self, .. Enumerable.Range(2, 8).Select(n => $"n{n} 10.244.{n}.0/24 192.0.2.{n}")],
        };
        agent.Pass();
        agent.Pass(WakeCauses.Links);
        Assert.Equal(8, agent.Host.OurRoutes.Count());
        return agent;
    }

    private static IEnumerable<string> Sources(Agent agent) =>
        from address in agent.Host.State.Addresses
        where address.Interface == agent.Host.State.Tunnel!.Index && address.Address.IsIPv4
        select $"{address.Address}";

    private static Agent Running(int peers)
    {
        Agent agent = new() { Nodes = Cluster(peers) };
        agent.Pass();
        Assert.Equal(peers, agent.Host.OurRoutes.Count());
        return agent;
    }

    private static int Remaining(Agent agent)
    {
        agent.Pass();
        return agent.Host.OurRoutes.Count();
    }

    private static string[] Cluster(int peers) =>
        ["self 10.244.1.0/24 10.0.0.1", .. Enumerable.Range(2, peers).Select(i => $"n{i:000} 10.244.{i}.0/24 10.0.0.{i}")];

    private static string Exempt(Agent agent) => string.Join(',', agent.Host.Nat!.Exempt.Where(p =>
        p.ToString().StartsWith("10.", StringComparison.Ordinal)));
}
