using HostGw.Planning;
using HostGw.Platform;
using HostGw.Status;
using HostGw.Tests.Hosting;
using HostGw.Tests.Planning;
using HostGw.Tests.Reconciliation;
using Microsoft.Extensions.Logging;

namespace HostGw.Tests.Status;

public class PassLogTests
{
    private readonly LogLines _lines = new();
    private readonly Agent _agent = new();
    private readonly PassLog _log;

    public PassLogTests() => _log = new(_lines);

    [Fact]
    public void A_first_pass_says_what_it_did()
    {
        Assert.Equal(
            [
                "Information 301 Added route 10.244.2.0/24 via 10.0.0.2",
                "Information 301 Added route 10.244.3.0/24 via 10.0.0.3",
                "Information 201 Changed routes in 0 ms because of nodes: 2 added, 0 corrected, 0 removed",
                "Information 403 Masquerade rule by nftables: the kernel has nf_tables",
                "Information 401 Changed the masquerade rule: created",
                "Information 405 Changed the guards of probes and tunnel (nftables table hostgw-guard): guards changed",
                "Information 306 Added the local route of probe address 10.244.1.0",
                "Information 306 Added the local route of probe address fd00:10:244:1::",
                "Information 207 Turned IP forwarding on",
            ],
            Pass());
    }

    [Fact]
    public void The_CNI_configuration_is_told_of_when_it_changes_and_anothers_once()
    {
        Agent agent = new("cni=on");
        _log.Write(agent.Pass());
        Assert.Contains("Information 601 Changed the CNI configuration: wrote 10-hostgw.conflist", _lines.Take());

        agent.Host.OtherCni = "/etc/cni/net.d/05-cilium.conf";
        _log.Write(agent.Pass());
        Assert.Contains(
            "Information 602 CNI configuration not written: /etc/cni/net.d/05-cilium.conf of another plugin takes precedence " +
            "(cni.takeOver puts HostGw's first)", _lines.Take());
        _log.Write(agent.Pass());
        Assert.Empty(_lines.Take());
    }

    [Fact]
    public void A_quiet_pass_says_nothing()
    {
        Pass();

        Assert.Empty(Pass());
    }

    [Fact]
    public void A_quiet_pass_says_so_to_who_debugs()
    {
        LogLines all = new() { Least = LogLevel.Debug };
        PassLog log = new(all);
        log.Write(_agent.Pass());
        all.Take();
        log.Write(_agent.Pass(WakeCauses.Resync));

        Assert.Equal(["Debug 203 Pass in 0 ms because of resync had nothing to do"], all.Take());
    }

    [Fact]
    public void Corrections_say_from_what_to_what_and_why()
    {
        Pass();
        _agent.Host.Overwrite("10.244.2.0/24 via 10.0.0.9 dev eth0 proto 4");

        Assert.Equal(
            "Information 302 Corrected route 10.244.2.0/24: was via 10.0.0.9, is via 10.0.0.2 (another program had overwritten it)", Pass()[0]);
    }

    [Theory]
    [InlineData("via 10.0.0.9 dev eth0", "", "was via 10.0.0.9, is via 10.0.0.2 (another next hop)")]
    [InlineData("via 10.0.0.2 dev eth1", "", "was via 10.0.0.2, is via 10.0.0.2 (it had dev eth1)")]
    [InlineData("via 10.0.0.9 dev eth1", "", "was via 10.0.0.9, is via 10.0.0.2 (it had dev eth1)")]
    [InlineData("via 10.0.0.2 dev eth0", "onlink", "was via 10.0.0.2, is via 10.0.0.2 (it had no onlink)")]
    [InlineData("via 10.0.0.2 dev eth0", "hops", "was via 10.0.0.2, is via 10.0.0.2 (it had 2 next hops)")]
    [InlineData("via 10.0.0.2 dev eth1", "object", "was via 10.0.0.2, is via 10.0.0.2 (it had dev eth1, nexthop object 7)")]
    [InlineData("via 10.0.0.2 dev eth0", "src", "was via 10.0.0.2, is via 10.0.0.2 (it had a source address (src))")]
    [InlineData("via 10.0.0.2 dev eth0", "mtu", "was via 10.0.0.2, is via 10.0.0.2 (it had metrics such as mtu)")]
    [InlineData("via 10.0.0.2 dev eth0", "encap", "was via 10.0.0.2, is via 10.0.0.2 (it had an encapsulation (encap))")]
    public void A_correction_says_what_differed(string route, string change, string line)
    {
        Agent agent = new("", $"{Given.Lan}; eth1 10.9.0.1/24");
        _log.Write(agent.Pass());
        _lines.Take();
        HostRoute changed = agent.Host.Parse($"10.244.2.0/24 {route} proto 157") with { IsOnLink = change != "onlink" };
        agent.Host.Overwrite(change switch
        {
            "hops" => changed with { NextHopCount = 2 },
            "object" => changed with { NextHopObject = 7 },
            "src" => changed with { Extras = RouteExtras.Source },
            "mtu" => changed with { Extras = RouteExtras.Metrics },
            "encap" => changed with { Extras = RouteExtras.Encapsulation },
            _ => changed,
        });
        _log.Write(agent.Pass());
        Assert.Equal($"Information 302 Corrected route 10.244.2.0/24: {line}", _lines.Take()[0]);
    }

    [Fact]
    public void A_blackhole_in_the_place_of_ours_is_not_called_on_link()
    {
        Pass();
        _agent.Host.Overwrite(
            _agent.Host.Parse("10.244.2.0/24 via 10.0.0.9 dev eth0 proto 3") with { IsUnicast = false, NextHop = default });

        Assert.Equal(
            "Information 302 Corrected route 10.244.2.0/24: was a blackhole or other special route, is via 10.0.0.2 " +
            "(another program had overwritten it)", Pass()[0]);
    }

    [Fact]
    public void A_conflict_names_the_node_and_the_cure()
    {
        _agent.Host.Overwrite("10.244.2.0/24 via 10.0.0.9 dev eth0 proto 12");

        Assert.Contains(
            "Warning 204 node b 10.244.2.0/24 (conflict): a route via 10.0.0.9 of protocol bird is already in its place; " +
            "remove it, or set adopt to all", Pass());
    }

    [Fact]
    public void Forwarding_that_cannot_be_read_is_a_problem()
    {
        _log.Write(_agent.Pass().With(new ForwardingState(null, true)));

        Assert.Contains(_lines.Take(), line => line.StartsWith("Warning 204 IPv4 forwarding cannot be read: ", StringComparison.Ordinal));
    }

    [Fact]
    public void Of_many_routes_ten_are_named()
    {
        _agent.Nodes = [Given.Self, .. Enumerable.Range(2, 30).Select(i => $"n{i} 10.244.{i}.0/24 10.0.0.{i}")];

        string[] said = Pass();

        Assert.Equal(10, said.Count(line => line.StartsWith("Information 301", StringComparison.Ordinal)));
        Assert.Contains("Information 201 Changed routes in 0 ms because of nodes: 30 added, 0 corrected, 0 removed", said);
    }

    [Fact]
    public void What_was_refused_is_not_said_to_be_done()
    {
        _agent.Host.Refusal = what => what is "add 10.244.2.0/24" or "nat created" ? new HostRefusal("Operation not supported") : null;

        string[] said = Pass();

        Assert.DoesNotContain(said, line => line.Contains("Added route 10.244.2.0/24", StringComparison.Ordinal));
        Assert.DoesNotContain(said, line => line.Contains(" 401 ", StringComparison.Ordinal));
        Assert.Contains("Error 202 Could not add 10.244.2.0/24: Operation not supported", said);
    }

    [Fact]
    public void A_failure_is_said_once_and_when_it_is_over()
    {
        Pass();
        _agent.Host.Remove("10.244.2.0/24");
        _agent.Host.Refusal = what => what == "add 10.244.2.0/24" ? new HostRefusal("Network is down") : null;

        Assert.Equal(["Error 202 Could not add 10.244.2.0/24: Network is down"], Pass());
        Assert.Empty(Pass());
        _agent.Host.Refusal = _ => null;
        Assert.Contains("Information 205 No longer: could not add 10.244.2.0/24: Network is down", Pass());
        Assert.Empty(Pass());
    }

    [Fact]
    public void A_problem_is_said_once_and_when_it_is_over()
    {
        Pass();
        _agent.Nodes = [.. Agent.ThreeNodes, "d rubbish 10.0.0.4"];

        Assert.Equal(["Warning 204 node d (rejected): podCIDR 'rubbish' is not a CIDR"], Pass());
        Assert.Empty(Pass());
        _agent.Nodes = Agent.ThreeNodes;
        Assert.Equal(["Information 205 No longer: node d (rejected): podCIDR 'rubbish' is not a CIDR"], Pass());
        Assert.Empty(Pass());
    }

    [Fact]
    public void While_the_host_cannot_be_read_no_problem_and_no_failure_is_said_to_be_over()
    {
        _agent.Nodes = [.. Agent.ThreeNodes, "d rubbish 10.0.0.4"];
        _agent.Host.Refusal = what => what == "add 10.244.2.0/24" ? new HostRefusal("Network is down") : null;
        Pass();
        _agent.Host.ReadRefusal = new HostRefusal("No buffer space available");

        Assert.Equal(["Error 202 Could not read the host: No buffer space available"], Pass());
        Assert.Empty(Pass());
        _agent.Host.ReadRefusal = null;
        Assert.Equal(["Information 205 No longer: could not read the host: No buffer space available"], Pass());
    }

    [Fact]
    public void Of_many_problems_twenty_are_said_and_the_rest_is_counted()
    {
        Pass();
        _agent.Nodes = [.. Agent.ThreeNodes, .. Enumerable.Range(4, 50).Select(i => $"n{i} rubbish{i} 10.0.0.{i}")];

        string[] said = Pass();
        Assert.Equal(21, said.Length);
        Assert.Equal("Warning 206 30 more problems like these; `hostgw status` lists all", said[^1]);
        Assert.Empty(Pass());

        _agent.Nodes = Agent.ThreeNodes;
        Assert.Equal(21, Pass().Length);
    }

    [Fact]
    public void A_new_failure_is_said_however_many_stand_already()
    {
        _agent.Nodes = [Given.Self, .. Enumerable.Range(2, 30).Select(i => $"n{i} 10.244.{i}.0/24 10.0.0.{i}")];
        _agent.Host.Refusal = what => what.StartsWith("add", StringComparison.Ordinal) ? new HostRefusal("Network is down") : null;
        Pass();

        _agent.Nodes = [.. _agent.Nodes, "z 10.244.99.0/24 10.0.0.99"];

        Assert.Contains("Error 202 Could not add 10.244.99.0/24: Network is down", Pass());
    }

    [Fact]
    public void A_fight_is_said_once_for_all_its_repairs()
    {
        Pass();
        List<string> said = [];
        for (int i = 0; i < 30; i++)
        {
            _agent.Host.Overwrite("10.244.2.0/24 via 10.0.0.9 dev eth0 proto 4");
            said.AddRange(Pass());
            _agent.Time.Advance(TimeSpan.FromSeconds(2));
        }

        Assert.Single(said, line => line.StartsWith("Warning 204 another program keeps changing HostGw's route", StringComparison.Ordinal));
        Assert.DoesNotContain(said, line => line.StartsWith("Information 205", StringComparison.Ordinal));
    }

    private string[] Pass()
    {
        _log.Write(_agent.Pass());
        return _lines.Take();
    }
}
