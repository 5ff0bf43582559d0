using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using HostGw.Lab;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Lab.Tests.Platform;

/// <summary>The guards' table in this process's own nf_tables: what is in it, what changes, and what is left alone.</summary>
[Collection("nftables")]
[SupportedOSPlatform("linux")]
public sealed partial class GuardTests : NftablesTest, IDisposable
{
    private readonly LinuxGuards _guards = new(TimeProvider.System);

    [Fact]
    public void Nft_shows_the_guards_of_probes() => Lists(GuardPlans.Probes, GuardPlans.ProbesListed);

    [Fact]
    public void Nft_shows_the_guards_of_a_tunnel() => Lists(GuardPlans.Tunnel, GuardPlans.TunnelListed);

    [Fact]
    public void A_node_that_joins_and_one_that_leaves_change_their_elements_and_no_rule()
    {
        Make(GuardPlans.Tunnel);
        string handles = Handles();
        long before = _guards.Writes;
        GuardPlan next = GuardPlans.Tunnel.With(t => t with
        {
            Nodes = GuardPlans.Prefixes("192.0.2.1/32 192.0.2.3/32 2001:db8::1/128 2001:db8::2/128"),
            Peers = GuardPlans.Prefixes("10.244.2.0/24 10.244.3.0/24 fd00:10:244:2::/64 fd00:10:244:3::/64"),
        });

        Assert.Equal("nodes4: 192.0.2.3/32 added and 192.0.2.2/32 removed, peers6: fd00:10:244:3::/64 added", Make(next, reread: false));
        Assert.Equal(5, _guards.Writes - before); // begin, three lists of elements, end
        Assert.Equal(handles, Handles());
        Assert.Contains("{ 192.0.2.1, 192.0.2.3 }", List("set inet hostgw-guard nodes4"), StringComparison.Ordinal);
        Assert.Equal("", Make(next));
    }

    [Fact]
    public void Five_thousand_nodes_are_guarded_and_one_that_joins_adds_two_elements()
    {
        GuardPlan many = Many(5000), more = Many(5001);
        Make(many);
        Assert.Equal("", Make(many));
        long before = _guards.Writes;

        Assert.Equal("nodes4: 172.16.19.136/32 added, peers4: 10.83.136.0/24 added", Make(more, reread: false));
        Assert.Equal(4, _guards.Writes - before);
        Assert.Equal("", Make(more));
    }

    [Fact]
    public void Without_an_announcement_nothing_is_read_and_with_one_what_somebody_removed_comes_back()
    {
        Make(GuardPlans.Tunnel);
        Run("nft delete table inet hostgw-guard");
        long before = _guards.Writes;

        Assert.Equal("", Make(GuardPlans.Tunnel, reread: false));
        Assert.Equal(before, _guards.Writes);
        Assert.Equal("the table is missing", Make(GuardPlans.Tunnel));
        Assert.Equal(GuardPlans.TunnelListed, Listed());
    }

    [Theory]
    [InlineData("flush ruleset")]
    [InlineData("delete table inet hostgw-guard")]
    [InlineData("flush chain inet hostgw-guard prerouting")]
    [InlineData("flush chain inet hostgw-guard inner")]
    [InlineData("flush chain inet hostgw-guard output")]
    [InlineData("flush chain inet hostgw-guard input")]
    [InlineData("flush chain inet hostgw-guard forward")]
    [InlineData("insert rule inet hostgw-guard inner accept")]
    [InlineData("insert rule inet hostgw-guard port iifname nft0 return")]
    [InlineData("add chain inet hostgw-guard mine")]
    [InlineData("add set inet hostgw-guard mine { type ipv4_addr; }")]
    [InlineData("add table inet hostgw-guard { flags dormant; }")]
    [InlineData("chain inet hostgw-guard prerouting { policy drop; }")]
    [InlineData("flush set inet hostgw-guard nodes4")]
    [InlineData("delete element inet hostgw-guard nodes6 { 2001:db8::2 }")]
    [InlineData("add element inet hostgw-guard nodes4 { 198.51.100.0/24 }")]
    [InlineData("add element inet hostgw-guard peers4 { 10.245.0.1-10.245.0.9 }")]
    [InlineData("add element inet hostgw-guard own6 { 2001:db8:1::/64 }")]
    [InlineData("add table ip hostgw-guard")]
    public void What_somebody_changed_is_seen_and_put_right(string command)
    {
        Make(GuardPlans.Tunnel);
        Run($"nft '{command}'");

        Assert.NotEqual("", Make(GuardPlans.Tunnel));
        Assert.Equal(GuardPlans.TunnelListed, Listed());
        Assert.Equal("", Run("nft list tables ip"));
        Assert.Equal("", Make(GuardPlans.Tunnel));
    }

    [Theory]
    [InlineData("port", 2, "counter accept")]
    [InlineData("port", 2, "counter return")]
    [InlineData("port", 2, "drop")]
    [InlineData("outer", 2, "counter goto vni")]
    [InlineData("vni", 0, "@th,96,24 158 notrack return")]
    [InlineData("vni", 0, "@th,96,24 157 return")]
    [InlineData("inner", 3, "ip saddr @peers4 ip daddr @own4 drop")]
    [InlineData("inner", 0, "fib saddr type multicast counter drop")]
    [InlineData("translated", 0, "ct status snat counter drop")]
    [InlineData("prerouting", 4, "iifgroup 158 jump inner")]
    public void A_rule_replaced_under_its_comment_is_seen_and_put_right(string chain, int index, string rule)
    {
        Make(GuardPlans.Tunnel);
        string[] rules = [.. Run($"nft -a list chain inet hostgw-guard {chain}").Split('\n').Where(l => l.Contains("comment", StringComparison.Ordinal))];
        string comment = rules[index].Split('"')[^2], handle = rules[index].Split(' ')[^1];
        string family = chain == "inner" && rule.StartsWith("ip ", StringComparison.Ordinal) ? "meta nfproto ipv4 " : "";
        Run($"nft 'replace rule inet hostgw-guard {chain} handle {handle} {family}{rule} comment \"{comment}\"'");

        Assert.Equal($"a rule of chain {chain} was changed", Make(GuardPlans.Tunnel));
        Assert.Equal(GuardPlans.TunnelListed, Listed());
    }

    [Fact]
    public void What_the_rules_count_is_no_difference()
    {
        Make(GuardPlans.Tunnel);
        string[] rules = [.. Run("nft -a list chain inet hostgw-guard port").Split('\n').Where(l => l.Contains("counter", StringComparison.Ordinal))];
        string comment = rules[0].Split('"')[^2], handle = rules[0].Split(' ')[^1];
        Run($"nft 'replace rule inet hostgw-guard port handle {handle} counter packets 7 bytes 700 drop comment \"{comment}\"'");

        Assert.Equal("", Make(GuardPlans.Tunnel));
        Assert.Equal([new("port", 7), new("outer", 0), new("vni", 0), new("inner", 0), new("translated", 0), new("relayed", 0)], _guards.Drops());
    }

    [Fact]
    public void The_guards_of_a_tunnel_stay_until_its_link_is_gone()
    {
        Make(GuardPlans.Tunnel);
        // As after a restart: what is installed is not known yet.
        foreach (LinuxGuards guards in (LinuxGuards[])[_guards, new(TimeProvider.System)])
        {
            Make(GuardPlans.Tunnel);
            Attempts attempts = new();
            Assert.Equal("", guards.Make(GuardPlans.Probes, reread: true, writes: true, attempts));
            Assert.Equal(GuardPlans.TunnelListed, Listed());
            Assert.NotEqual("", guards.Remove(GuardPlans.Probes, reread: true, writes: true, attempts));
            Assert.Equal(GuardPlans.ProbesListed, Listed());
            Assert.Empty(attempts.Failures);
            Assert.Equal("", Make(GuardPlans.Probes, guards: guards));
        }
    }

    [Fact]
    public void Guards_and_the_masquerade_rule_know_nothing_of_each_other()
    {
        Reach(NftablesPlans.DualStack);
        Make(GuardPlans.Tunnel);
        Assert.Equal(NatChangeKind.None, Difference(NftablesPlans.DualStack).Kind);

        Reach(null);
        Assert.Equal(GuardPlans.TunnelListed, Listed());
        Reach(NftablesPlans.DualStack);
        Assert.Equal("no longer needed", Make(null));
        Assert.Equal(NftablesPlans.DualStackListed, List("ruleset"));
    }

    [Theory]
    [InlineData("nftables")]
    [InlineData("iptables-nft")]
    [InlineData("iptables-legacy")]
    [InlineData("none")]
    public void Guards_are_the_same_whatever_holds_the_masquerade_rule(string backend)
    {
        using NatBox box = new(backend);
        HostChanges changes = new()
        {
            Routes = new(),
            ChangesNat = true,
            Nat = backend == "none" ? null : NftablesPlans.DualStack,
            ChangesGuards = true,
            Guards = GuardPlans.Tunnel,
        };

        Assert.Equal("the table is missing", box.Host.Apply(changes, ApplyMode.Change).GuardChange);
        Assert.Equal(GuardPlans.TunnelListed, Listed());
        ApplyResult again = box.Host.Apply(changes, ApplyMode.Change);
        Assert.Equal(("", "", 0, 0), (again.GuardChange, again.NatChange, again.NetlinkWrites, again.Failures.Count));
        Assert.Equal(6, box.Host.GuardDrops().Length);
        Assert.Equal("no longer needed", box.Host.Apply(changes with { Guards = null }, ApplyMode.Change).GuardChange);
        Assert.DoesNotContain("hostgw-guard", Run("nft list tables"), StringComparison.Ordinal);
    }

    [Fact]
    public void Guards_that_are_not_needed_are_removed_once_and_others_tables_are_left_alone()
    {
        Run("nft add table inet theirs");
        Assert.Equal("", Make(null));
        Assert.Equal(0, _guards.Writes);
        Make(GuardPlans.Probes);

        using LinuxGuards cleanup = new(TimeProvider.System);
        Assert.Equal("no longer needed", Make(null, guards: cleanup));
        Assert.Equal("", Make(null, guards: cleanup));
        Assert.Equal("table inet theirs", Run("nft list tables").Trim());
    }

    [Fact]
    public void A_preview_says_what_would_be_done_and_does_nothing()
    {
        Assert.Equal("the table is missing", Make(GuardPlans.Tunnel, writes: false));
        Assert.Equal("", Run("nft list ruleset"));
        Make(GuardPlans.Tunnel);
        Assert.Equal("no longer needed", Make(null, writes: false));
        Assert.Equal(GuardPlans.TunnelListed, Listed());
    }

    [Fact]
    public void A_table_that_somebody_deleted_before_an_element_changes_is_built_again_at_once()
    {
        Make(GuardPlans.Tunnel);
        Run("nft delete table inet hostgw-guard");
        GuardPlan next = GuardPlans.Tunnel.With(t => t with { Nodes = GuardPlans.Prefixes("192.0.2.1/32") });

        Assert.Equal("the table is missing", Make(next, reread: false));
        Assert.Equal("", Make(next));
    }

    [Fact]
    public void A_refused_change_is_a_failure_and_the_next_pass_repairs_it()
    {
        Make(GuardPlans.Tunnel);
        using (OwnedTable.Take())
        {
            Attempts attempts = new();
            _guards.Make(GuardPlans.Tunnel, reread: true, writes: true, attempts);
            HostFailure failure = Assert.Single(attempts.Failures);
            Assert.Equal((HostPart.Guards, "apply the guards of probes and tunnel"), (failure.Part, failure.What));
            Assert.Contains("not permitted", failure.Error.Message, StringComparison.Ordinal);
        }
        Assert.Equal("the table is missing", Make(GuardPlans.Tunnel, reread: false));
    }

    // What decides whether the link may stay up.
    [Theory]
    [InlineData("add element inet hostgw-guard nodes4 { 198.51.100.0/24 }", true)]
    [InlineData("delete element inet hostgw-guard nodes6 { 2001:db8::2 }", true)]
    [InlineData("add table ip hostgw-other", true)]
    [InlineData("flush chain inet hostgw-guard inner", false)]
    [InlineData("insert rule inet hostgw-guard inner accept", false)]
    [InlineData("delete table inet hostgw-guard", false)]
    [InlineData("add table inet hostgw-guard { flags dormant; }", false)]
    public void Guards_stand_while_their_rules_are_there(string command, bool expected)
    {
        Make(GuardPlans.Tunnel);
        Run($"nft '{command}'");
        Assert.True(_guards.AreInstalled(GuardPlans.Tunnel, mayDiffer: false));
        Assert.Equal(expected, _guards.AreInstalled(GuardPlans.Tunnel, mayDiffer: true));
        // Another plan, which is not carried out yet.
        Assert.Equal(expected, _guards.AreInstalled(GuardPlans.Tunnel with { Uplinks = ["nft9"] }, mayDiffer: true));
        // Nothing is known any more, and it is read again.
        Assert.Equal(expected, _guards.AreInstalled(GuardPlans.Tunnel, mayDiffer: false));
        Make(GuardPlans.Tunnel);
        Assert.True(_guards.AreInstalled(GuardPlans.Tunnel, mayDiffer: false));
    }

    // While its Node has no podCIDR an agent has no plan of them, and after a restart it knows none.
    [Fact]
    public void After_a_restart_without_a_plan_the_guards_that_are_there_stand()
    {
        Make(GuardPlans.Tunnel);
        using LinuxGuards restarted = new(TimeProvider.System);
        Assert.True(restarted.AreInstalled(null, mayDiffer: true));
        Run("nft delete table inet hostgw-guard");
        Assert.False(restarted.AreInstalled(null, mayDiffer: true));
        Make(GuardPlans.Probes);
        Assert.False(restarted.AreInstalled(GuardPlans.Probes, mayDiffer: true));
    }

    [Fact]
    public void A_module_that_is_loaded_later_is_found_without_a_restart()
    {
        StoppedTime time = new();
        using LinuxGuards guards = new(time);
        string obstacle = "";
        Thread thread = new(() =>
        {
            OldKernel.BecomeOld();
            obstacle = guards.Obstacle();
        });
        thread.Start();
        thread.Join();
        Assert.Contains("no nf_tables", obstacle, StringComparison.Ordinal);
        time.Seconds = 29;
        Assert.Equal(obstacle, guards.Obstacle());
        time.Seconds = 30;
        Make(GuardPlans.Tunnel, guards: guards);
        Assert.Equal(GuardPlans.TunnelListed, Listed());
    }

    [Fact]
    public void Without_nf_tables_the_obstacle_is_named_with_its_cure_and_nothing_fails()
    {
        string? obstacle = null;
        Attempts attempts = new();
        Thread thread = new(() =>
        {
            OldKernel.BecomeOld();
            using LinuxGuards guards = new(TimeProvider.System);
            obstacle = guards.Obstacle() +
                guards.Make(GuardPlans.Probes, reread: true, writes: true, attempts) + guards.Remove(null, reread: true, writes: true, attempts);
            Assert.Empty(guards.Drops());
        });
        thread.Start();
        thread.Join();

        Assert.Equal(
            "this kernel has no nf_tables, which the tunnel's guards need: load the module nf_tables (CONFIG_NF_TABLES), or set tunnel.mode: off",
            obstacle);
        Assert.Empty(attempts.Failures);
    }

    [Fact]
    public void Without_the_capability_the_failure_names_it_and_there_is_no_obstacle()
    {
        (string obstacle, string failure) = Capabilities.Without(() =>
        {
            using LinuxGuards guards = new(TimeProvider.System);
            Attempts attempts = new();
            string found = guards.Obstacle();
            guards.Make(GuardPlans.Probes, reread: true, writes: true, attempts);
            return (found, Assert.Single(attempts.Failures).Error.Message);
        });

        Assert.Equal("", obstacle);
        Assert.Contains("this needs the capability NET_ADMIN", failure, StringComparison.Ordinal);
    }

    [Fact]
    public void Drops_are_read_once_a_second_at_most()
    {
        StoppedTime time = new();
        using LinuxGuards guards = new(time);
        Assert.Empty(guards.Drops());
        Make(GuardPlans.Probes, guards: guards);
        Assert.Equal([new("port", 0)], guards.Drops());
        Run("nft flush chain inet hostgw-guard port; nft add rule inet hostgw-guard port counter packets 9 bytes 9");
        time.Seconds = 0.9;
        Assert.Equal([new("port", 0)], guards.Drops());

        time.Seconds = 1;
        Assert.Equal([new("port", 9)], guards.Drops());
    }

    public new void Dispose()
    {
        _guards.Dispose();
        base.Dispose();
    }

    private void Lists(GuardPlan plan, string expected)
    {
        Assert.Equal("the table is missing", Make(plan));
        Assert.Equal(expected, Listed());
        Assert.Equal("", Make(plan));
    }

    private string Make(GuardPlan? plan, bool reread = true, bool writes = true, LinuxGuards? guards = null) =>
        Reach(guards ?? _guards, plan, reread, writes);

    internal static string Reach(LinuxGuards guards, GuardPlan? plan, bool reread = true, bool writes = true)
    {
        Assert.Equal("", guards.Obstacle());
        Attempts attempts = new();
        string done = guards.Make(plan, reread, writes, attempts) + guards.Remove(plan, reread, writes, attempts);
        Assert.Empty(attempts.Failures.Select(f => f.Error.ToString()));
        return done;
    }

    private static GuardPlan Many(int nodes) => GuardPlans.Tunnel.With(t => t with
    {
        Nodes = [.. Enumerable.Range(0, nodes).Select(i => new Prefix(Ip.V4(0xAC100000u + (uint)i), 32))],
        Peers = [.. Enumerable.Range(0, nodes).Select(i => new Prefix(Ip.V4(0x0A400000u + ((uint)i << 8)), 24))],
    });

    internal static string Listed() => Fingerprint().Replace(List("table inet hostgw-guard"), "hostgw, FINGERPRINT");

    private static string Handles() => string.Join(' ', Run("nft -a list table inet hostgw-guard").Split('\n')
        .Where(l => l.Contains("comment", StringComparison.Ordinal)).Select(l => l.Split(' ')[^1]));

    private sealed class StoppedTime : TimeProvider
    {
        public double Seconds { get; set; }

        public override long GetTimestamp() => (long)(Seconds * TimestampFrequency);
    }

    [GeneratedRegex("hostgw, [0-9a-f]{8}")]
    private static partial Regex Fingerprint();
}
