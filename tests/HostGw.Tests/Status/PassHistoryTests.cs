using HostGw.Net;
using HostGw.Platform;
using HostGw.Status;
using HostGw.Tests.Planning;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Status;

public class PassHistoryTests
{
    private readonly StatusBoard _board = new();
    private readonly Agent _agent = new();

    [Fact]
    public void A_change_a_repair_and_a_failure_are_told_apart_and_the_newest_comes_first()
    {
        Pass(WakeCauses.Start);
        _agent.Host.Remove("10.244.3.0/24");
        Pass(WakeCauses.Routes);
        _agent.Host.Refusal = what => what == "add 10.244.4.0/24" ? new HostRefusal("Network is unreachable") : null;
        _agent.Nodes = [.. Agent.ThreeNodes, "d 10.244.4.0/24 10.0.0.4"];
        Pass(WakeCauses.Nodes);

        Assert.Equal(
        [
            "Failure nodes failed: add 10.244.4.0/24: Network is unreachable; masquerade rule: changed",
            "Repair routes 1 route added: 10.244.3.0/24 via 10.0.0.3",
            "Change start 2 routes added: 10.244.2.0/24 via 10.0.0.2, 10.244.3.0/24 via 10.0.0.3; masquerade rule: created; guards: guards changed; " +
            "probe addresses added: 10.244.1.0, fd00:10:244:1::; forwarding: switched on",
        ],
        _board.View.Passes.Select(n => $"{n.Kind} {WakeCauseNames.Of(n.Causes)} {n.Text}"));
    }

    [Fact]
    public void What_is_no_route_is_named_too()
    {
        _board.Record(new()
        {
            Changes = new()
            {
                Routes = RouteChanges.None,
                PolicyRules = new([], [Given.PolicyRules("1000 to 10.244.0.0/16 lookup main")[1]]),
                ProbeRoutes = new([Ip.Parse("10.244.1.0")], []),
                AcceptRa = [new("eth0", 2)],
            },
        });
        Assert.Equal(
            ["policy rules removed: from all to 10.244.0.0/16 lookup main; probe addresses added: 10.244.1.0; accept_ra set: eth0 2"],
            _board.View.Passes.Select(n => n.Text));
    }

    [Fact]
    public void A_pass_that_finds_all_in_order_leaves_no_note()
    {
        Pass();
        var before = _board.View.Passes;
        Pass(WakeCauses.Resync);

        Assert.True(before == _board.View.Passes);
    }

    [Fact]
    public void The_same_again_is_counted_and_pushes_nothing_out()
    {
        Pass();
        for (int i = 0; i < 50; i++)
            _board.Record(Reports.Failed("no"));

        Assert.Equal([50, 1], _board.View.Passes.Select(n => n.Times));
    }

    [Fact]
    public void There_are_never_more_than_twenty_and_of_many_routes_three_are_named()
    {
        for (int joined = 8; joined <= 30 * 8; joined += 8)
        {
            _agent.Nodes = [.. Agent.ThreeNodes, .. Enumerable.Range(0, joined).Select(n => $"n{n} 10.245.{n}.0/24 10.0.0.{10 + n}")];
            Pass();
        }

        Assert.Equal(PassHistory.Most, _board.View.Passes.Length);
        Assert.Contains(
            "8 routes added: 10.245.232.0/24 via 10.0.0.242, 10.245.233.0/24 via 10.0.0.243, 10.245.234.0/24 via 10.0.0.244 and 5 more",
            _board.View.Passes[0].Text, StringComparison.Ordinal);
    }

    private void Pass(WakeCauses causes = WakeCauses.Nodes) => _board.Record(_agent.Pass(causes));
}
