using System.Runtime.Versioning;
using HostGw.Platform;
using HostGw.Platform.Cni;
using HostGw.Platform.Linux;

namespace HostGw.Tests.Platform.Linux;

[SupportedOSPlatform("linux")]
public sealed class LinuxFactsTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("hostgw-facts-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public void Of_the_setting_for_all_and_that_of_an_interface_the_larger_takes_effect()
    {
        Given("sys/ipv4/conf/all/rp_filter", "1");
        Given("sys/ipv4/conf/eth0/rp_filter", "2");
        Given("sys/ipv4/conf/eth1/rp_filter", "0");
        Given("sys/ipv4/conf/eth1/arp_ignore", "1");

        HostFacts facts = Read("eth0", "eth1");

        Assert.Equal((2, 1), (facts.ReversePathFilters["eth0"], facts.ReversePathFilters["eth1"]));
        Assert.Equal((0, 1), (facts.ArpIgnore["eth0"], facts.ArpIgnore["eth1"]));
    }

    [Fact]
    public void The_neighbour_tables_limits_are_read_where_they_exist()
    {
        Given("sys/ipv4/neigh/default/gc_thresh3", "1024");
        Assert.Equal((1024, null), (Read().NeighbourLimitIPv4, Read().NeighbourLimitIPv6));
    }

    [Fact]
    public void Programs_are_those_that_run()
    {
        Given("proc/17/comm", "flanneld\n");
        Given("proc/self/comm", "doctor\n");
        Assert.Equal(["flanneld"], Read().Programs);
    }

    [Fact]
    public void Plugins_that_are_not_in_their_folder_are_missing()
    {
        Given("bin/ptp", "");
        Assert.DoesNotContain("ptp", Read().MissingCniPlugins);
        Assert.Contains("host-local", Read().MissingCniPlugins);
    }

    [Theory]
    [InlineData(false, null, false)]
    [InlineData(true, null, true)]
    [InlineData(true, "[Network]\nManageForeignRoutes=no\n", false)]
    [InlineData(true, "[Network]\n#ManageForeignRoutes=no\n", true)]
    [InlineData(true, "[Network]\nManageForeignRoutes = off\nManageForeignRoutes=yes", true)]
    public void Networkd_removes_foreign_routes_where_it_runs_and_is_not_configured_otherwise(bool runs, string? text, bool removes)
    {
        if (runs)
            Given("run/systemd/netif/state", "");
        if (text is not null)
            Given("etc/systemd/networkd.conf.d/x.conf", text);
        Assert.Equal(removes, Read().NetworkdRemovesRoutes);
    }

    [Fact]
    public void Of_networkds_drop_ins_the_last_by_name_wins_in_whatever_folder()
    {
        Given("run/systemd/netif/state", "");
        Given("usr/lib/systemd/networkd.conf.d/90-last.conf", "ManageForeignRoutes=no");
        Given("etc/systemd/networkd.conf.d/10-first.conf", "ManageForeignRoutes=yes");
        Assert.False(Read().NetworkdRemovesRoutes);
    }

    // As their machines say: cloud-init's ds-identify and its tests.
    [Theory]
    [InlineData("Amazon EC2", "m5.large", "Amazon EC2", "Aws")]
    [InlineData("Microsoft Corporation", "Virtual Machine", "7783-7084-3265-9085-8269-3286-77", "Azure")]
    [InlineData("Microsoft Corporation", "Virtual Machine", "5190-4501-5226-4013-1717-8142-86", "HyperV")]
    [InlineData("Google", "Google Compute Engine", "", "GoogleCloud")]
    [InlineData("QEMU", "Standard PC (i440FX + PIIX, 1996)", "OracleCloud.com", "OracleCloud")]
    [InlineData("Hetzner", "vServer", "", "HetznerCloud")]
    [InlineData("OpenStack Foundation", "OpenStack Nova", "", "OpenStack")]
    [InlineData("RDO", "OpenStack Compute", "", "OpenStack")]
    [InlineData("VMware, Inc.", "VMware7,1", "No Asset Tag", "VMware")]
    [InlineData("QEMU", "Standard PC (Q35 + ICH9, 2009)", "", "Qemu")]
    [InlineData("Dell Inc.", "PowerEdge R640", "", "Unknown")]
    [InlineData(null, null, null, "Unknown")]
    public void The_firmware_tells_whose_network_it_is(string? vendor, string? product, string? tag, string platform)
    {
        foreach ((string name, string? value) in ((string, string?)[])
            [("sys_vendor", vendor), ("product_name", product), ("chassis_asset_tag", tag)])
        {
            if (value is not null)
                Given($"sys/class/dmi/id/{name}", $"{value}\n");
        }
        Assert.Equal(platform, Read().Platform.ToString());
    }

    [Theory]
    [InlineData("nameserver 10.0.0.53", "10.0.0.53")]
    [InlineData("  nameserver\t10.0.0.53   ", "10.0.0.53")]
    [InlineData("nameserver fd00::53", "fd00::53")]
    [InlineData("nameserver fe80::1%eth0", "fe80::1")]
    [InlineData("nameserver 10.0.0.53 # the old one", "10.0.0.53")]
    [InlineData("nameserver 127.0.0.53\noptions edns0\nsearch example.org\nnameserver 10.0.0.54", "127.0.0.53 10.0.0.54")]
    [InlineData("# nameserver 10.0.0.53", "")]
    [InlineData(";nameserver 10.0.0.53", "")]
    [InlineData("nameserver", "")]
    [InlineData("nameserver dns.example.org", "")]
    [InlineData("nameserver 10.0.53", "")]
    [InlineData("nameservers 10.0.0.53", "")]
    [InlineData("", "")]
    public void Resolvers_are_read(string text, string expected) =>
        Assert.Equal(expected, string.Join(' ', ResolvConf.Parse(text.Split('\n'))));

    [Fact]
    public void A_resolv_conf_that_is_not_there_names_none() => Assert.Empty(ResolvConf.Read("/nonexistent/resolv.conf"));

    private HostFacts Read(params string[] interfaces) =>
        new LinuxFacts(new(Path.Combine(_root, "sys")), new() { BinDirectory = Path.Combine(_root, "bin") }, _root).Read(interfaces);

    private void Given(string file, string text)
    {
        string path = Path.Combine(_root, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
