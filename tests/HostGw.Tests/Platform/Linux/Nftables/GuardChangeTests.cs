using System.Collections.Immutable;
using HostGw.Planning;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Tests.Platform.Linux.Nftables;

public class GuardChangeTests
{
    private static readonly GuardPlan Probes = new(["eth0"], [9158]);

    private static readonly GuardPlan Tunnel = new(["eth0"], [4790, 9158])
    {
        Tunnel = new(4790, 157, Nat.Prefixes("192.0.2.1/32", "192.0.2.2/32", "2001:db8::2/128"), Nat.Prefixes("10.244.1.0/24"), Nat.Prefixes("10.244.2.0/24")),
    };

    // The guards that are installed ("-": none), the desired ones, and what is to be done.
    public static TheoryData<string, string, string> Cases => new()
    {
        { "-", "-", "" },
        { "-", "probes", "the table is missing" },
        { "-", "tunnel", "the table is missing" },
        { "probes", "probes", "" },
        { "tunnel", "tunnel", "" },
        { "probes", "-", "no longer needed" },
        { "tunnel", "-", "no longer needed" },
        { "probes", "tunnel", "chain translated is missing" },
        { "tunnel", "probes", "chain translated is foreign" },
        { "tunnel", "another uplink", "a rule of chain port was changed" },
        { "tunnel", "one more uplink", "chain port has 3 rules, not 4" },
        { "tunnel", "another port", "a rule of chain prerouting was changed" },
        { "tunnel", "another VNI", "a rule of chain vni was changed" },
        { "tunnel", "a node joins", "nodes4: 192.0.2.3/32 added, peers4: 10.244.3.0/24 added" },
        { "tunnel", "a node leaves", "nodes4: 192.0.2.2/32 removed, nodes6: 2001:db8::2/128 removed, peers4: 10.244.2.0/24 removed" },
        { "tunnel", "a node moves", "nodes4: 192.0.2.9/32 added and 192.0.2.2/32 removed" },
        { "tunnel", "a thousand nodes join", "nodes4: 1,000 added" },
        { "tunnel", "IPv6 pods", "own6: fd00:1::/64 added" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void What_is_to_be_done_is_named(string installed, string desired, string expected)
    {
        GuardPlan? before = Plan(installed);

        Assert.Equal(expected, GuardChange.Between(Plan(desired), before is null ? [] : [GuardRuleset.Of(before)]).What);
    }

    [Fact]
    public void Elements_change_without_the_table() => Assert.Equal(
        (null, true), (Change("tunnel", "a node joins").Desired, Change("tunnel", "a node joins").Observed.IsEmpty));

    // Also a change of the plan: thousands of elements need not be written for another uplink.
    [Theory]
    [InlineData("one more uplink", "port")]
    [InlineData("another VNI", "vni")]
    [InlineData("another port", "prerouting input forward output")]
    public void Rules_change_without_the_elements(string desired, string chains)
    {
        GuardChange change = Change("tunnel", desired);

        Assert.Equal((null, true, true), (change.Desired, change.Observed.IsEmpty, change.Elements.IsEmpty));
        Assert.Equal(chains, string.Join(' ', change.Refills.Select(r => r.Chain.Name)));
        Assert.All(change.Refills, r => Assert.False(r.IsEmpty));
    }

    [Fact]
    public void Of_an_empty_chain_no_rule_is_deleted()
    {
        NftTable table = GuardRuleset.Of(Tunnel);
        NftChain[] chains = [.. table.Chains.Select(c => c.Name == "inner" ? c with { Rules = [] } : c)];

        Assert.True(Assert.Single(GuardChange.Between(Tunnel, [table with { Chains = [.. chains] }]).Refills).IsEmpty);
    }

    [Fact]
    public void A_part_of_the_table_has_what_was_named()
    {
        NftTable part = GuardRuleset.Of(Tunnel, new(Everything: false, Rules: false, ["peers4"]));
        Assert.Equal((0, "peers4"), (part.Chains.Length, Assert.Single(part.Sets).Name));
        Assert.Equal(GuardRuleset.Of(Tunnel).Chains.Length, GuardRuleset.Of(Tunnel, new(false, Rules: true, [])).Chains.Length);
        Assert.Equal(6, GuardRuleset.Of(Tunnel, new(Everything: true, false, [])).Sets.Length);
    }

    [Theory]
    [InlineData("tunnel", "probes", true)]
    [InlineData("tunnel", "-", false)]
    [InlineData("tunnel", "another VNI", false)]
    [InlineData("probes", "tunnel", false)]
    public void Guards_of_a_tunnel_end_where_others_remain(string installed, string desired, bool expected) =>
        Assert.Equal(expected, Change(installed, desired).EndsTunnel);

    [Fact]
    public void A_table_of_another_family_is_removed_with_it()
    {
        NftTable right = GuardRuleset.Of(Probes);
        GuardChange change = GuardChange.Between(Probes, [right, right with { Family = NftFamily.IPv4 }]);

        Assert.Equal(("table ip is not needed", 2), (change.What, change.Observed.Length));
    }

    private static GuardChange Change(string installed, string desired) =>
        GuardChange.Between(Plan(desired), [GuardRuleset.Of(Plan(installed)!)]);

    private static GuardPlan? Plan(string name) => name switch
    {
        "-" => null,
        "probes" => Probes,
        "tunnel" => Tunnel,
        "another uplink" => Tunnel with { Uplinks = ["eth1"] },
        "one more uplink" => Tunnel with { Uplinks = ["eth0", "eth1"] },
        "another port" => Tunnel with { Ports = [4789, 9158], Tunnel = Tunnel.Tunnel! with { Port = 4789 } },
        "another VNI" => With(t => t with { Vni = 158 }),
        "a node joins" => With(t => t with
        {
            Nodes = [.. t.Nodes.Add(Prefix.Parse("192.0.2.3/32")).Order()],
            Peers = t.Peers.Add(Prefix.Parse("10.244.3.0/24")),
        }),
        "a node leaves" => With(t => t with { Nodes = t.Nodes[..1], Peers = [] }),
        "a node moves" => With(t => t with { Nodes = [t.Nodes[0], Prefix.Parse("192.0.2.9/32"), t.Nodes[2]] }),
        "a thousand nodes join" => With(t => t with
        {
            Nodes = [.. t.Nodes.Concat(Enumerable.Range(0, 1000).Select(i => new Prefix(Ip.V4(0xC6336400u + (uint)i), 32))).Order()],
        }),
        "IPv6 pods" => With(t => t with { Own = t.Own.Add(Prefix.Parse("fd00:1::/64")) }),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no such case"),
    };

    private static GuardPlan With(Func<TunnelGuard, TunnelGuard> change) => Tunnel with { Tunnel = change(Tunnel.Tunnel!) };
}
