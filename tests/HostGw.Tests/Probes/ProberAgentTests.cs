using HostGw.Planning;
using HostGw.Probes;

namespace HostGw.Tests.Probes;

/// <summary>Agents that restart, freeze, come late or go, while packets take the tunnel.</summary>
public class ProberAgentTests
{
    private static readonly TunnelPolicy Off = new();

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Whoever_restarts_the_path_stays(bool restartsA, bool restartsB)
    {
        ProbedPair pair = ProbedPair.Tunnelled();
        ProbedEnd[] restarted = [.. pair.Ends.Where(e => e == pair.A ? restartsA : restartsB)];
        foreach (bool drops in (bool[])[true, false, true])
        {
            pair.DropsPods = _ => drops;
            pair.Run(100);
            foreach (ProbedEnd end in restarted)
                end.Stop();
            pair.Run(20);
            foreach (ProbedEnd end in restarted)
                end.Start();
            pair.Run(100);
            Assert.All(pair.Ends, e => Assert.Equal((ReachKind.Reachable, PeerPath.Tunnel), (e.Reach.Kind, e.Reach.Path)));
        }
        Assert.All(pair.Ends, e => Assert.Single(e.Changes));
        pair.DropsPods = static _ => false;
        pair.Run(330);
        Assert.All(pair.Ends, e => Assert.Equal(2, e.Changes.Count));
    }

    [Fact]
    public void An_agent_that_starts_natively_beside_one_in_the_tunnel_follows_it()
    {
        ProbedPair pair = ProbedPair.Tunnelled();
        pair.B.Stop();
        pair.B.Start(Off);
        Assert.False(pair.B.IsTunnelled);
        pair.B.Start(ProbedPair.Auto);
        Assert.InRange(pair.RunUntil(() => pair.B.IsTunnelled), 0, 20);
        pair.Run(300);
        Assert.Single(pair.A.Changes);
    }

    // A pass may come late: others are of a higher urgency, or the latest signal was less than a second ago.
    [Theory]
    [InlineData(0.01, 1.05)]
    [InlineData(1.05, 0.01)]
    [InlineData(0.05, 0.05)]
    [InlineData(0.05, 30)]
    public void On_the_way_back_nobody_removes_the_link_before_the_peers_route_is_native(double passOfA, double passOfB)
    {
        ProbedPair pair = ProbedPair.Tunnelled();
        (pair.A.PassSeconds, pair.B.PassSeconds, pair.DropsPods) = (passOfA, passOfB, static _ => false);
        pair.RunUntil(() => !pair.A.IsTunnelled && !pair.B.IsTunnelled);
        pair.Run(280);
        Assert.All(pair.Ends, e => Assert.Equal((2, true), (e.Changes.Count, e.HasLink)));
        pair.Run(400);
        Assert.All(pair.Ends, e => Assert.Equal((2, false), (e.Changes.Count, e.HasLink)));
        Assert.All(pair.Ends, e => Assert.Empty(e.Stranded));
        Assert.InRange(pair.Apart, 0, Math.Abs(passOfA - passOfB) + 0.1);
    }

    // Of its peer it knows nothing until that answers.
    [Fact]
    public void An_agent_that_restarts_on_the_way_back_keeps_the_link_of_a_peer_that_is_frozen_in_the_tunnel()
    {
        for (double at = 299; at < 312; at += 0.37)
        {
            ProbedPair pair = ProbedPair.Tunnelled();
            pair.DropsPods = static _ => false;
            pair.After(at, () => pair.B.Freeze(90));
            pair.After(at + 60, () => pair.A.Start());
            pair.Run(1500);
            Assert.All(pair.Ends, e => Assert.Equal((2, PeerPath.Native, false), (e.Changes.Count, e.Reach.Path, e.HasLink)));
            Assert.All(pair.Ends, e => Assert.Empty(e.Stranded));
        }
    }

    // SIGSTOP at each point of the way back. What it costs ends with it.
    [Fact]
    public void An_agent_that_is_frozen_while_the_path_changes_keeps_the_peers_link_until_it_has_changed()
    {
        for (double at = 299; at < 312; at += 0.37)
        {
            ProbedPair pair = ProbedPair.Tunnelled();
            pair.DropsPods = static _ => false;
            pair.After(at, () => pair.B.Freeze(90));
            pair.Run(1500);
            Assert.All(pair.Ends, e => Assert.Equal((2, PeerPath.Native, false), (e.Changes.Count, e.Reach.Path, e.HasLink)));
            Assert.All(pair.Ends, e => Assert.Empty(e.Stranded));
            Assert.InRange(pair.Apart, 0, 92);
        }
    }

    // What it installed works on without it.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_peer_whose_agent_is_gone_for_good_is_reached_as_before(bool isOnLink)
    {
        ProbedPair pair = ProbedPair.Tunnelled(isOnLink);
        pair.Run(100);
        pair.B.Stop();
        pair.DropsPods = static _ => false;
        pair.Run(3600);
        Assert.Equal((1, ReachKind.Unreachable, PeerPath.Tunnel), (pair.A.Changes.Count, pair.A.Reach.Kind, pair.A.Reach.Path));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_peer_that_turns_its_tunnel_off_is_left_there_too(bool isOnLink)
    {
        ProbedPair pair = ProbedPair.Tunnelled(isOnLink);
        pair.B.Start(Off);
        Assert.InRange(pair.RunUntil(() => !pair.A.IsTunnelled), 0, 20);
        pair.Run(100);
        Assert.Equal((ReachKind.PodTrafficDropped, PeerPath.Compared), (pair.A.Reach.Kind, pair.A.Reach.Path));
    }
}
