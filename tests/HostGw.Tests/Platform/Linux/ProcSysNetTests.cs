using HostGw.Planning;
using HostGw.Platform.Linux;

namespace HostGw.Tests.Platform.Linux;

public sealed class ProcSysNetTests : IDisposable
{
    // Says 1 on every Linux, and not even root can write it.
    private const string ReadOnlyOne = "/sys/class/net/lo/ifindex";

    private readonly string _root = Directory.CreateTempSubdirectory("hostgw-sys-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("0", "1", false, true)]
    [InlineData("1\n", "2\n", true, true)]
    [InlineData(null, "0", null, false)]
    [InlineData("1", null, true, null)]
    [InlineData("rubbish", "", null, null)]
    public void Forwarding_is_read_and_a_missing_family_is_no_answer(string? v4, string? v6, bool? expectedV4, bool? expectedV6)
    {
        Given("ipv4/ip_forward", v4);
        Given("ipv6/conf/all/forwarding", v6);
        Assert.Equal(new ForwardingState(expectedV4, expectedV6), new ProcSysNet(_root).ReadForwarding());
    }

    [Fact]
    public void IPv4_forwarding_is_turned_on()
    {
        Given("ipv4/ip_forward", "0");
        new ProcSysNet(_root).EnableForwardingIPv4();
        Assert.Equal("1", Now("ipv4/ip_forward"));
    }

    [Fact]
    public void IPv4_forwarding_is_turned_on_where_it_is_off_on_one_interface_alone()
    {
        Given("ipv4/conf/eth0/forwarding", "0");
        Given("ipv4/conf/eth1/forwarding", "0");

        new ProcSysNet(_root).EnableForwardingIPv4On("eth0");
        new ProcSysNet(_root).EnableForwardingIPv4On("gone0");

        Assert.Equal("1", Now("ipv4/conf/eth0/forwarding"));
        Assert.Equal("0", Now("ipv4/conf/eth1/forwarding"));
    }

    [Theory]
    [InlineData("0", false)]
    [InlineData("1", true)]
    [InlineData(null, true)]
    public void Forwarding_of_new_interfaces_is_off_only_where_that_is_known(string? value, bool expected)
    {
        Given("ipv4/conf/default/forwarding", value);
        Assert.Equal(expected, new ProcSysNet(_root).NewInterfacesForwardIPv4);
    }

    [Fact]
    public void Duplicate_address_detection_is_turned_off_where_that_is_possible()
    {
        Given("ipv6/conf/veth1/accept_dad", "1");
        Given("ipv6/conf/veth2/readme", "1");
        File.CreateSymbolicLink(Path.Combine(_root, "ipv6/conf/veth2/accept_dad"), ReadOnlyOne);

        new ProcSysNet(_root).TurnDadOff(["gone0", "veth1", "veth2"]);

        Assert.Equal("0", Now("ipv6/conf/veth1/accept_dad"));
    }

    [Fact]
    public void Accept_ra_is_set_on_the_interface_that_is_named_and_forwarding_on_all()
    {
        Given("ipv6/conf/all/forwarding", "0");
        Given("ipv6/conf/all/accept_ra", "1");
        Given("ipv6/conf/default/accept_ra", "1");
        Given("ipv6/conf/eth0/accept_ra", "1");
        Given("ipv6/conf/eth1.100/accept_ra", "1");
        new ProcSysNet(_root).EnableForwardingIPv6([new("eth1.100", 2), new("gone0", 2)]);

        Assert.Equal("1", Now("ipv6/conf/all/forwarding"));
        Assert.Equal("2", Now("ipv6/conf/eth1.100/accept_ra"));
        Assert.Equal("1", Now("ipv6/conf/eth0/accept_ra"));
        Assert.Equal("1", Now("ipv6/conf/all/accept_ra"));
        Assert.Equal("1", Now("ipv6/conf/default/accept_ra"));
    }

    [Fact]
    public void Where_advertisements_cannot_be_kept_forwarding_stays_off()
    {
        Given("ipv6/conf/all/forwarding", "0");
        Directory.CreateDirectory(Path.Combine(_root, "ipv6/conf/eth0"));
        File.CreateSymbolicLink(Path.Combine(_root, "ipv6/conf/eth0/accept_ra"), ReadOnlyOne);

        ProcSysException error = Assert.Throws<ProcSysException>(() => new ProcSysNet(_root).EnableForwardingIPv6([new("eth0", 2)]));

        Assert.Equal("0", Now("ipv6/conf/all/forwarding"));
        Assert.Contains("ipv6/conf/eth0/accept_ra", error.Message, StringComparison.Ordinal);
        Assert.Contains("set procSysNet", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_written_is_a_clear_error()
    {
        Directory.CreateDirectory(Path.Combine(_root, "ipv4"));
        File.CreateSymbolicLink(Path.Combine(_root, "ipv4/ip_forward"), ReadOnlyOne);

        ProcSysException error = Assert.Throws<ProcSysException>(() => new ProcSysNet(_root).EnableForwardingIPv4());
        Assert.StartsWith($"write 1 to {Path.Combine(_root, "ipv4/ip_forward")}: ", error.Message, StringComparison.Ordinal);
        Assert.EndsWith(
            "mount the host's /proc/sys/net writable and set procSysNet, or set it on the host", error.Message, StringComparison.Ordinal);
        Assert.False(error.IsNotFound);
    }

    [Fact]
    public void What_is_not_there_is_an_error_and_is_not_created()
    {
        ProcSysNet sysctl = new(_root);
        Assert.Throws<ProcSysException>(() => sysctl.EnableForwardingIPv4());
        Assert.Throws<ProcSysException>(() => sysctl.EnableForwardingIPv6([]));
        Directory.CreateDirectory(Path.Combine(_root, "ipv4"));
        Directory.CreateDirectory(Path.Combine(_root, "ipv6/conf/all"));
        Assert.Throws<ProcSysException>(() => sysctl.EnableForwardingIPv4());
        Assert.Throws<ProcSysException>(() => sysctl.EnableForwardingIPv6([]));
        Assert.Empty(Directory.EnumerateFiles(_root, "*", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData(5000, "128 512 1024", "5000 10000 20000")]
    [InlineData(200, "128 512 1024", "200 512 1024")]
    [InlineData(10, "128 512 1024", "128 512 1024")]
    [InlineData(300, "128 512 4096", "300 600 4096")]
    public void Neighbour_thresholds_are_raised_to_one_two_and_four_times_the_peers_and_never_lowered(
        int peers, string before, string after)
    {
        foreach (string family in (string[])["ipv4", "ipv6"])
        {
            for (int level = 1; level <= 3; level++)
                Given($"{family}/neigh/default/gc_thresh{level}", before.Split(' ')[level - 1]);
        }

        new ProcSysNet(_root).RaiseNeighbourThresholds(peers);

        foreach (string family in (string[])["ipv4", "ipv6"])
            Assert.Equal(after, string.Join(' ', Enumerable.Range(1, 3).Select(level => Now($"{family}/neigh/default/gc_thresh{level}"))));
    }

    [Fact]
    public void Thresholds_that_are_not_there_are_left_out()
    {
        new ProcSysNet(_root).RaiseNeighbourThresholds(5000);
        Assert.Empty(Directory.EnumerateFiles(_root, "*", SearchOption.AllDirectories));
    }

    private void Given(string file, string? content)
    {
        if (content is null)
            return;
        string path = Path.Combine(_root, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }

    private string Now(string file) => File.ReadAllText(Path.Combine(_root, file));
}
