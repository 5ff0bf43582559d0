using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Lab.Tests.Platform;

/// <summary>What the kernel announces, and which of it causes a pass.</summary>
[SupportedOSPlatform("linux")]
public sealed class LinuxWatchTests : LinuxWatchTest
{
    [Theory]
    [InlineData("10.244.1.0/24", "192.0.2.9", "192.0.2.8")]
    [InlineData("fd00:1::/64", "2001:db8::9", "2001:db8::8")]
    public void A_route_of_ours_that_somebody_changes_wakes(string destination, string nextHop, string other)
    {
        Expect(destination, nextHop);
        Space.Apply(c => c.Add.Add(Space.Route(destination, nextHop)));
        HostRoute ours = Assert.Single(Space.Ours());

        Wakes(WakeCauses.Routes, $"route replace {destination} via {other} dev eth0");
        Wakes(WakeCauses.Routes, $"route replace {destination} via {nextHop} dev eth0 proto 157");
        Wakes(WakeCauses.Routes, $"route append {destination} via {other} dev eth0 proto 157");
        Wakes(WakeCauses.Routes, $"route del {destination} proto 157");
        Assert.Equal(destination, ours.Destination.ToString());
    }

    [Theory]
    [InlineData("10.244.1.0/24", "192.0.2.9")]
    [InlineData("fd00:1::/64", "2001:db8::9")]
    public void A_foreign_route_wakes_only_on_a_destination_of_ours(string destination, string nextHop)
    {
        Expect(destination, nextHop);

        Wakes(WakeCauses.Routes, $"route add {destination} via {nextHop} dev eth0");
        Wakes(WakeCauses.Routes, $"route del {destination} via {nextHop} dev eth0");
        Wakes(WakeCauses.Routes, $"route add blackhole {destination} metric 9");
        Wakes(WakeCauses.None, "route add 10.244.2.0/24 via 192.0.2.9 dev eth0");
        Wakes(WakeCauses.None, "route del 10.244.2.0/24 via 192.0.2.9 dev eth0");
        Wakes(WakeCauses.None, "route add fd00:2::/64 via 2001:db8::9 dev eth0");
        Wakes(WakeCauses.None, $"route add {destination} via {nextHop} dev eth0 table 99");
    }

    [Theory]
    [InlineData("via 192.0.2.254")]
    [InlineData("nexthop via 192.0.2.253 dev eth0 nexthop via 192.0.2.254 dev eth0")]
    [InlineData("via 2001:db8::fe")]
    public void A_default_route_that_comes_or_goes_wakes(string gateway)
    {
        Wakes(WakeCauses.Routes, $"route add default {gateway}");
        Wakes(WakeCauses.Routes, $"{(gateway.Contains("::", StringComparison.Ordinal) ? "-6 " : "")}route del default");
    }

    [Fact]
    public void Our_own_changes_wake_neither_socket()
    {
        PodRoute[] routes = [Space.Route("10.244.1.0/24", "192.0.2.9"), Space.Route("fd00:1::/64", "2001:db8::9"), Space.Route("10.244.0.0/16")];
        Space.Expect(new() { Routes = [.. routes.OrderBy(r => r.Destination)] });

        Assert.Equal(WakeCauses.None, Watched.After(() => Space.Apply(c => c.Add.AddRange(routes))));
        HostRoute[] ours = [.. Space.Ours()];
        PodRoute other = routes[0] with { NextHop = HostGw.Net.Ip.Parse("192.0.2.8") };
        Assert.Equal(WakeCauses.None, Watched.After(() => Space.Apply(c => c.Replace.Add(new(other, ours[0], default)))));
        Assert.Equal(WakeCauses.None, Watched.After(() => Space.Apply(c => c.Delete.AddRange([.. Space.Ours()]))));
        Assert.Empty(Space.Ours());

        Assert.Equal(WakeCauses.None, Watched.After(() => ApplyNat(NftablesPlans.DualStack)));
        Assert.Equal(WakeCauses.None, Watched.AfterNftables(
            () => ApplyNat(NftablesPlans.DualStack with { Exempt = NftablesPlans.Prefixes("10.0.0.0/8") })));
        Assert.Equal(WakeCauses.None, Watched.AfterNftables(() => ApplyNat(null)));
    }

    [Fact]
    public void Our_nftables_table_wakes_when_somebody_changes_it_and_no_other_table_does()
    {
        ApplyNat(NftablesPlans.DualStack);

        Assert.Equal(WakeCauses.None, Watched.AfterNftables(
            () => Watched.Nft("add table ip theirs; add chain ip theirs c; add rule ip theirs c counter")));
        Assert.Equal(WakeCauses.None, Watched.AfterNftables(() => Watched.Nft("delete table ip theirs")));
        foreach (string change in (string[])["add element inet hostgw exempt4 { 203.0.113.0/24 }", "flush chain inet hostgw postrouting", "delete table inet hostgw"])
        {
            Watched.Nft(change);
            Watched.Await(WakeCauses.Nat);
        }
    }

    [Fact]
    public void Our_guards_wake_when_somebody_changes_them_and_not_when_we_do()
    {
        Assert.Equal(WakeCauses.None, Watched.AfterNftables(() => ApplyGuards(GuardPlans.Tunnel)));
        Assert.Equal(WakeCauses.None, Watched.AfterNftables(() => ApplyGuards(GuardPlans.Tunnel.With(t => t with { Peers = [] }))));
        foreach (string change in (string[])["delete element inet hostgw-guard nodes4 { 192.0.2.2 }", "flush chain inet hostgw-guard port",
            "delete table inet hostgw-guard"])
        {
            Watched.Nft(change);
            Watched.Await(WakeCauses.Guards);
        }
        // Until all of the last transaction is heard.
        Watched.AfterNftables(() => { });
        Assert.Equal(WakeCauses.None, Watched.AfterNftables(() => ApplyGuards(GuardPlans.Probes)));
        Watched.Nft("flush ruleset");
        Watched.Await(WakeCauses.Guards);
    }

    private void ApplyGuards(GuardPlan plan) =>
        Assert.Empty(Space.Apply(new HostChanges { Routes = new(), ChangesGuards = true, Guards = plan }));

    private void ApplyNat(NatPlan? plan) => Assert.Empty(Space.Apply(new HostChanges { Routes = new(), ChangesNat = true, Nat = plan }));

    private void Expect(string destination, string nextHop) => Space.Expect(new() { Routes = [Space.Route(destination, nextHop)] });

    private void Wakes(WakeCauses causes, string command)
    {
        WakeCauses heard = Watched.After(() => Space.Shell(command));
        Assert.True(heard == causes, $"ip {command}: heard {heard}, not {causes}");
    }
}
