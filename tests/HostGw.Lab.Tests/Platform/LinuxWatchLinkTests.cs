using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Lab.Tests.Platform;

/// <summary>Interfaces, addresses, forwarding, and more announcements than can be read.</summary>
[SupportedOSPlatform("linux")]
public sealed class LinuxWatchLinkTests : LinuxWatchTest
{
    [Theory]
    [InlineData("link set eth0 down", "link set eth0 up")]
    [InlineData("link set peer0 name peer1", "link set peer1 name peer0")]
    [InlineData("link add eth1 type veth peer name peer1", "link del eth1")]
    public void An_interface_that_changes_wakes(string change, string back)
    {
        Wakes(WakeCauses.Links, change);
        Wakes(WakeCauses.Links, back);
    }

    [Theory]
    [InlineData("link set eth0 alias other")]
    [InlineData("link set eth0 txqueuelen 500")]
    [InlineData("link set eth0 promisc on")]
    [InlineData("neigh add 192.0.2.77 lladdr 02:00:00:00:00:01 dev eth0")]
    public void What_no_plan_depends_on_wakes_nobody(string change) =>
        Assert.Equal(WakeCauses.None, Watched.AfterUpToRule(() => Space.Shell(change)));

    [Theory]
    [InlineData("192.0.2.7/24")]
    [InlineData("2001:db8::7/64")]
    public void An_address_that_comes_or_goes_wakes(string address)
    {
        Wakes(WakeCauses.Addresses, $"addr add {address} dev eth0");
        Wakes(WakeCauses.Addresses, $"addr del {address} dev eth0");
    }

    [Fact]
    public void An_address_whose_lifetime_is_prolonged_wakes_nobody()
    {
        Wakes(WakeCauses.Addresses, "addr add 2001:db8::7/64 dev eth0 nodad valid_lft 1000 preferred_lft 500");
        Assert.Equal(WakeCauses.None, Watched.AfterUpToRule(
            () => Space.Shell("addr change 2001:db8::7/64 dev eth0 valid_lft 2000 preferred_lft 1000")));
    }

    [Theory]
    [InlineData("ipv4/ip_forward")]
    [InlineData("ipv4/conf/eth0/forwarding")]
    [InlineData("ipv6/conf/all/forwarding")]
    public void Forwarding_that_somebody_turns_on_or_off_wakes(string sysctl)
    {
        foreach (string value in (string[])["1", "0"])
        {
            Space.Network.Sysctl(sysctl, value == "1" ? "0" : "1");
            Watched.AfterUpToRule(() => { });
            Assert.Equal(WakeCauses.Forwarding, Watched.AfterUpToRule(() => Space.Network.Sysctl(sysctl, value)));
        }
    }

    [Fact]
    public void More_than_can_be_read_is_noticed_and_survived()
    {
        using (Watched.Deafen())
        {
            Space.Shell("route add 10.244.1.0/24 dev eth0 proto 157");
            string[] routes = [.. Enumerable.Range(0, 20_000).Select(i => $"10.{i / 250}.{i % 250}.0/28 dev eth0")];
            Space.Network.Configure(routes.Select(r => $"route add {r}"));
            Space.Network.Configure(routes.Select(r => $"route del {r}"));
            Space.Shell("link set eth0 down");
        }
        Watched.Await(WakeCauses.Overrun);

        // That it went down was among the lost.
        Assert.True(Watched.AfterUpToRule(() => Space.Shell("link set eth0 up")).HasFlag(WakeCauses.Links));
        Assert.Equal(WakeCauses.Routes, Watched.After(() => Space.Shell("route add 10.244.2.0/24 dev eth0 proto 157")));
    }

    [Fact]
    public async Task A_failure_of_one_socket_does_not_hide_behind_the_others_silence()
    {
        Task watch = Space.Network.Run(() => Space.Host.WatchAsync(
            causes => { if (causes == WakeCauses.Nat) throw new InvalidOperationException("broken"); }, TestContext.Current.CancellationToken));

        Watched.Nft("add table inet hostgw");

        await Assert.ThrowsAsync<InvalidOperationException>(() => watch.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken));
    }

    private void Wakes(WakeCauses cause, string command)
    {
        WakeCauses heard = Watched.AfterUpToRule(() => Space.Shell(command));
        Assert.True(heard.HasFlag(cause), $"ip {command}: heard {heard}, not {cause}");
    }
}
