using System.Text.Json;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;
using HostGw.Status;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

public class CniTests
{
    private readonly Agent _agent = new("cni=on");

    [Fact]
    public void It_names_this_nodes_podCIDRs_and_the_smallest_MTU_of_their_interfaces()
    {
        Plan plan = Planner.Plan(
            Given.Nodes("self 10.244.1.0/24,fd00:10:244:1::/64 10.0.0.1,fd00:aaaa::1"),
            Given.Host("eth0 10.0.0.1/24 mtu=9000; eth1 fd00:aaaa::1/64 mtu=1400; default via 10.0.0.254 dev eth0"),
            Given.Policy("cni=on"));
        Assert.Equal(new CniPlan(Given.Prefixes("10.244.1.0/24,fd00:10:244:1::/64"), 1400), plan.Cni);
    }

    [Fact]
    public void Its_MTU_stays_while_the_interface_is_down()
    {
        _agent.Pass();
        CniPlan? before = _agent.Host.Cni;
        _agent.Host.State = Given.Host("eth0 10.0.0.1/24 fd00:aaaa::1/64 down");
        Assert.Equal("", _agent.Pass().Result.CniChange);
        Assert.Equal((before, 1500), (_agent.Host.Cni, before!.Mtu));
    }

    [Fact]
    public void It_is_written_left_alone_and_repaired()
    {
        Assert.Equal("wrote 10-hostgw.conflist", _agent.Pass().Result.CniChange);
        Assert.False(_agent.Pass().Changed);
        _agent.Host.LoseCni();
        Assert.True(_agent.Pass(WakeCauses.Cni).Changed);
        Assert.NotNull(_agent.Host.Cni);
    }

    [Fact]
    public void What_could_not_be_written_at_first_is_no_repair()
    {
        _agent.Host.Refusal = what => what.StartsWith("wrote", StringComparison.Ordinal) ? new HostRefusal("not now") : null;
        Assert.NotEmpty(_agent.Pass().Failures);
        _agent.Host.Refusal = _ => null;
        Assert.Equal(0, _agent.Pass(WakeCauses.Retry).Repairs.Cni);
        _agent.Host.LoseCni();
        Assert.Equal(1, _agent.Pass(WakeCauses.Cni).Repairs.Cni);
    }

    [Fact]
    public void A_change_that_the_host_refused_at_first_is_no_repair()
    {
        _agent.Pass();
        _agent.Host.State = Given.Host("eth0 10.0.0.1/24 fd00:aaaa::1/64 mtu=1400");
        _agent.Host.Refusal = what => what.StartsWith("wrote", StringComparison.Ordinal) ? new HostRefusal("not now") : null;
        Assert.NotEmpty(_agent.Pass().Failures);
        _agent.Host.Refusal = _ => null;
        PassReport made = _agent.Pass(WakeCauses.Retry);
        Assert.Equal(("wrote 10-hostgw.conflist", 0), (made.Result.CniChange, made.Repairs.Cni));
    }

    [Fact]
    public void Off_takes_it_away_and_an_own_node_that_is_not_in_order_does_not()
    {
        _agent.Pass();
        _agent.Nodes = ["self - 10.0.0.1"];
        Assert.Equal("left alone", State(_agent.Pass()));
        Assert.NotNull(_agent.Host.Cni);

        _agent.Nodes = Agent.ThreeNodes;
        _agent.Restart("");
        Assert.Equal("removed 10-hostgw.conflist", _agent.Pass().Result.CniChange);
        Assert.Equal("off", State(_agent.Pass()));
    }

    [Fact]
    public void Off_where_its_directory_is_mounted_read_only_is_ready_and_names_the_file()
    {
        _agent.Pass();
        _agent.Host.CniIsReadOnly = true;
        _agent.Restart("");
        PassReport report = _agent.Pass();
        Assert.Equal(("", "off"), (report.Result.CniChange, State(report)));
        Assert.Empty(StatusBoard.NotReady(report));
        Problem problem = Assert.Single(ProblemCatalog.All(report));
        Assert.Equal(
            ("CNIConfigurationLeft", "unless pods need it, on the host: rm /etc/cni/net.d/10-hostgw.conflist"), (problem.Rule, problem.Cure));
        _agent.Host.LoseCni();
        Assert.Empty(ProblemCatalog.All(_agent.Pass()));
    }

    [Fact]
    public void A_fight_over_it_is_slowed_down_and_told()
    {
        PassReport report = _agent.Pass();
        for (int i = 0; i < 5; i++)
        {
            _agent.Host.LoseCni();
            report = _agent.Pass(WakeCauses.Cni);
        }
        Assert.Contains(
            "another program keeps undoing HostGw's CNI configuration (wrote 10-hostgw.conflist): it is written only every 10 s",
            ProblemCatalog.Texts(report));

        _agent.Host.LoseCni();
        Assert.Equal(
            ("", TimeSpan.FromSeconds(10)), (_agent.Pass(WakeCauses.Cni).Result.CniChange, _agent.Pass(WakeCauses.Cni).HeldRepairs.Wait));
        _agent.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("wrote 10-hostgw.conflist", _agent.Pass(WakeCauses.Retry).Result.CniChange);
        _agent.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.DoesNotContain(ProblemCatalog.Texts(_agent.Pass()), p => p.Contains("CNI", StringComparison.Ordinal));
    }

    [Fact]
    public void The_status_says_what_pods_get_their_interfaces_by()
    {
        Assert.Equal("applied", State(_agent.Pass()));
        _agent.Host.OtherCni = "/etc/cni/net.d/05-cilium.conf";
        Assert.Equal("left to another plugin", State(_agent.Pass()));
        Assert.Equal("/etc/cni/net.d/05-cilium.conf", Cni(_agent.Pass()).GetProperty("file").GetString());

        Agent refused = new("cni=on");
        refused.Host.Refusal = what => what.StartsWith("wrote", StringComparison.Ordinal) ? new HostRefusal("read-only") : null;
        PassReport failed = refused.Pass();
        Assert.Equal("failed", State(failed));
        Assert.Equal(["wrote 10-hostgw.conflist: read-only"], StatusBoard.NotReady(failed));
        Assert.Equal("waiting", State(Unknown(_agent.Pass())));
    }

    private static PassReport Unknown(PassReport report) => report with { Result = report.Result with { Cni = null } };

    private static string? State(PassReport report) => Cni(report).GetProperty("state").GetString();

    private static JsonElement Cni(PassReport report) =>
        JsonDocument.Parse(StatusJson.Write("0.1.0", "self", Reports.View(report), null)).RootElement.GetProperty("cni");
}
