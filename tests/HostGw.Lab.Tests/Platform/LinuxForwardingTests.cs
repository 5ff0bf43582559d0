using System.Runtime.Versioning;
using HostGw.Lab.Network;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Linux;
using HostGw.Reconciliation;

namespace HostGw.Lab.Tests.Platform;

/// <summary>/proc/sys/net of a real namespace, and of hosts where something of it is missing.</summary>
[SupportedOSPlatform("linux")]
public sealed class LinuxForwardingTests : IDisposable
{
    private readonly DirectoryInfo _files = Directory.CreateTempSubdirectory("hostgw-sysctl");
    private readonly LinuxNamespace _host = new();

    public void Dispose()
    {
        _host.Dispose();
        _files.Delete(recursive: true);
    }

    [Fact]
    public void Forwarding_is_read_and_turned_on_per_family()
    {
        Set("ipv4/ip_forward", "0");
        Set("ipv6/conf/all/forwarding", "0");
        Assert.Equal(new ForwardingState(false, false), _host.Read().Forwarding);

        Assert.Empty(_host.Apply(new HostChanges { Routes = new(), EnableForwardingIPv4 = true }));
        Assert.Equal(new ForwardingState(true, false), _host.Read().Forwarding);
        Assert.Empty(_host.Apply(new HostChanges { Routes = new(), EnableForwardingIPv6 = true }));
        Assert.Equal(new ForwardingState(true, true), _host.Read().Forwarding);
    }

    [Fact]
    public void Forwarding_that_is_off_on_one_interface_is_seen_and_turned_on_there()
    {
        Set("ipv4/ip_forward", "1");
        Set("ipv4/conf/eth0/forwarding", "0");
        HostState state = _host.Read();
        Assert.Equal("eth0", Assert.Single(state.Interfaces, i => !i.ForwardsIPv4).Name);
        Assert.Equal(true, state.Forwarding.IPv4);

        Assert.Empty(_host.Apply(new HostChanges { Routes = new(), EnableForwardingIPv4 = true, ForwardIPv4On = ["eth0"] }));

        Assert.DoesNotContain(_host.Read().Interfaces, i => !i.ForwardsIPv4);
        Assert.Empty(_host.Apply(new HostChanges { Routes = new(), EnableForwardingIPv4 = true, ForwardIPv4On = ["gone0"] }));
    }

    [Fact]
    public async Task A_default_route_learnt_from_a_router_survives_forwarding()
    {
        await LearnDefaultRouteAsync();

        Assert.Empty(ApplyPlan(uplink: ""));

        Assert.Contains("proto ra", _host.Show("default", ipv6: true), StringComparison.Ordinal);
        Assert.Equal("2", _host.Network.Sysctl("ipv6/conf/eth0/accept_ra"));
        Assert.Equal("1", _host.Network.Sysctl("ipv6/conf/peer0/accept_ra"));
        Assert.Equal("1", _host.Network.Sysctl("ipv6/conf/default/accept_ra"));
    }

    [Fact]
    public async Task An_uplink_that_is_plugged_in_again_learns_its_default_route_again()
    {
        await LearnDefaultRouteAsync();
        Assert.Empty(ApplyPlan(uplink: ""));
        _host.Network.Configure(
        [
            "link del eth0", "link add eth0 type veth peer name peer0", "link set eth0 up", "link set peer0 up",
        ]);
        Assert.Equal("1", _host.Network.Sysctl("ipv6/conf/eth0/accept_ra"));

        Assert.Empty(ApplyPlan(uplink: ""));

        await AdvertiseAsync("peer0", "eth0");
        Assert.Contains("dev eth0 proto ra", _host.Show("default", ipv6: true), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_uplink_that_is_plugged_in_after_a_restart_of_the_agent_learns_its_default_route_again()
    {
        LinuxHostOptions options = _host.Options with { StateDirectory = Path.Combine(_files.FullName, "state") };
        await LearnDefaultRouteAsync();
        using (LinuxHost first = _host.Network.Run(() => new LinuxHost(options)))
            Assert.Empty(ApplyPlan(first));
        _host.Network.Configure(["link del eth0"]);
        using LinuxHost second = _host.Network.Run(() => new LinuxHost(options));
        Assert.Empty(ApplyPlan(second));
        _host.Network.Configure(["link add eth0 type veth peer name peer0", "link set eth0 up", "link set peer0 up"]);

        Assert.Empty(ApplyPlan(second));

        await AdvertiseAsync("peer0", "eth0");
        Assert.Contains("dev eth0 proto ra", _host.Show("default", ipv6: true), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_router_advertisement_sent_by_a_pod_gives_the_host_no_default_route()
    {
        Set("ipv6/conf/all/forwarding", "0");
        _host.Network.Configure(
        [
            "link add cni0 type veth peer name pod0", "link set cni0 up", "link set pod0 up", "addr add fd00:244:1::1/64 dev cni0 nodad",
        ]);
        Assert.Equal("1", _host.Network.Sysctl("ipv6/conf/cni0/accept_ra"));

        Assert.Empty(ApplyPlan(uplink: "eth0"));

        await AdvertiseAsync("pod0", "cni0");
        Assert.Equal("", _host.Show("default", ipv6: true));
        Assert.Equal("0", _host.Network.Sysctl("ipv6/conf/cni0/accept_ra"));
        Assert.Equal("2", _host.Network.Sysctl("ipv6/conf/eth0/accept_ra"));
        Assert.Empty(HostDiff.Between(PlanOf("eth0"), _host.Read(), new HashSet<RouteKey>(), AdoptMode.None).AcceptRa);
    }

    [Fact]
    public async Task Without_that_care_the_kernel_takes_the_default_route_away()
    {
        await LearnDefaultRouteAsync();
        Set("ipv6/conf/all/forwarding", "1");
        Assert.Equal("", _host.Show("default", ipv6: true));
    }

    [Fact]
    public void A_host_without_IPv6_settings_forwards_IPv4()
    {
        Directory.CreateDirectory(Path.Combine(_files.FullName, "ipv4"));
        File.WriteAllText(Path.Combine(_files.FullName, "ipv4/ip_forward"), "0\n");
        ProcSysNet sysctl = new(_files.FullName);
        Assert.Equal(new ForwardingState(false, null), sysctl.ReadForwarding());

        sysctl.EnableForwardingIPv4();
        sysctl.RaiseNeighbourThresholds(1000);

        Assert.Equal(new ForwardingState(true, null), sysctl.ReadForwarding());
        Assert.Equal(["ip_forward"], Directory.EnumerateFiles(_files.FullName, "*", SearchOption.AllDirectories).Select(Path.GetFileName));
    }

    [Fact]
    public void Neighbour_thresholds_are_only_raised()
    {
        foreach (string family in (string[])["ipv4", "ipv6"])
        {
            DirectoryInfo directory = Directory.CreateDirectory(Path.Combine(_files.FullName, family, "neigh/default"));
            for (int i = 1; i <= 3; i++)
                File.WriteAllText(Path.Combine(directory.FullName, $"gc_thresh{i}"), new[] { "128", "512", "9000" }[i - 1]);
        }

        new ProcSysNet(_files.FullName).RaiseNeighbourThresholds(2000);

        Assert.Equal(["2000", "4000", "9000"], Enumerable.Range(1, 3).Select(i => File.ReadAllText(Path.Combine(_files.FullName, $"ipv6/neigh/default/gc_thresh{i}"))));
    }

    [Theory]
    [InlineData(true, false, "ip_forward")]
    [InlineData(false, true, "forwarding")]
    public void Settings_that_cannot_be_written_are_a_failure_that_says_what_to_do_and_stop_nothing_else(bool ipv4, bool ipv6, string file)
    {
        Command.Run("mount", "--bind", "/proc/sys/net", _files.FullName);
        Command.Run("mount", "-o", "remount,bind,ro", _files.FullName);
        try
        {
            using LinuxNamespace host = new(_files.FullName);
            RouteChanges routes = new() { Add = [host.Route("10.244.1.0/24", "192.0.2.9")] };

            HostFailure failure = Assert.Single(host.Apply(new HostChanges { Routes = routes, EnableForwardingIPv4 = ipv4, EnableForwardingIPv6 = ipv6 }));

            Assert.Contains($"/{file}: Read-only file system", failure.Error.Message, StringComparison.Ordinal);
            Assert.Contains("procSysNet", failure.Error.Message, StringComparison.Ordinal);
            Assert.Single(host.Ours());
        }
        finally
        {
            Command.Run("umount", _files.FullName);
        }
    }

    private void Set(string sysctl, string value) => _host.Network.Sysctl(sysctl, value);

    private IReadOnlyList<HostFailure> ApplyPlan(string uplink) =>
        _host.Apply(HostDiff.Between(PlanOf(uplink), _host.Read(), new HashSet<RouteKey>(), AdoptMode.None) with { ChangesNat = false, ChangesForward = false });

    private IReadOnlyList<HostFailure> ApplyPlan(LinuxHost host) => _host.Network.Run(() =>
    {
        HostChanges changes = HostDiff.Between(PlanOf(""), host.Read([]), new HashSet<RouteKey>(), AdoptMode.None);
        return host.Apply(changes with { ChangesNat = false, ChangesForward = false }, ApplyMode.Change).Failures;
    });

    private Plan PlanOf(string uplink) => new()
    {
        Scope = PlanScope.Everything,
        ForwardIPv6 = true,
        OwnPodCidrs = [Prefix.Parse("fd00:244:1::/64")],
        InterfaceIPv6 = new(_host.Read().Interfaces.SingleOrDefault(i => i.Name == uplink), ""),
    };

    /// <summary>Sends a router advertisement, and returns when the kernel has counted it as received.</summary>
    private async Task AdvertiseAsync(string from, string receiver)
    {
        int router = _host.Index(from);
        await Eventually.TrueAsync(
            () => _host.Shell($"-6 addr show dev {from} scope link -tentative").Length > 0, () => _host.Shell($"addr show dev {from}"));
        string before = Received();
        RouterAdvertisement.Send(_host.Network, router);
        await Eventually.TrueAsync(() => Received() != before, () => _host.Shell("-6 route show"));

        string Received() => _host.Network.Run(() => File.ReadLines($"/proc/thread-self/net/dev_snmp6/{receiver}")
            .Single(l => l.StartsWith("Icmp6InRouterAdvertisements", StringComparison.Ordinal)));
    }

    private async Task LearnDefaultRouteAsync()
    {
        Set("ipv6/conf/all/forwarding", "0");
        Set("ipv6/conf/eth0/accept_ra", "1");
        await AdvertiseAsync("peer0", "eth0");
        await Eventually.TrueAsync(
            () => _host.Show("default", ipv6: true).Contains("proto ra", StringComparison.Ordinal), () => _host.Shell("-6 route show"));
    }
}
