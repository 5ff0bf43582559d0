using HostGw.Benchmarks.Figures;
using HostGw.Benchmarks.Whole;

namespace HostGw.Tests.Benchmarks;

public class ReadingTests
{
    private const string Rollup = "5581c7f4c000-7ffd3c5f8000 ---p 00000000 00:00 0    [rollup]\nRss:               34512 kB\nPss:               29017 kB\nPss_Dirty:         12000 kB\n";

    private const string NetDev =
        "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs\n    lo:     120       2    0\n  eth0: 1234567    890    0\n";

    [Fact]
    public void A_label_that_begins_like_another_is_another() =>
        Assert.Equal((34512, 29017), (ProcText.KiB(Rollup, "Rss"), ProcText.KiB(Rollup, "Pss")));

    [Theory]
    [InlineData("Swap")]
    [InlineData("Ps")]
    public void What_is_not_told_is_no_zero(string label) => Assert.Throws<FormatException>(() => ProcText.KiB(Rollup, label));

    [Fact]
    public void Bytes_are_counted_per_interface()
    {
        Assert.Equal(1234567, ProcText.ReceivedBytes(NetDev, "eth0"));
        Assert.Throws<FormatException>(() => ProcText.ReceivedBytes(NetDev, "eth1"));
    }

    [Fact]
    public void Passes_whose_time_had_come_are_told_from_others()
    {
        const string text = """
            # TYPE hostgw_passes_total counter
            hostgw_passes_total{cause="start"} 2
            hostgw_passes_total{cause="resync"} 3
            hostgw_pass_duration_seconds_count 5
            hostgw_netlink_writes_total 17
            hostgw_peers{family="ipv4",reachability="unknown"} 3
            hostgw_peers{family="ipv4",reachability="reachable"} 497
            """;
        Assert.Equal(new(5, 3, 17, 497), AgentMetrics.Parse(text));
        Assert.Equal(new AgentMetrics(5, 3, 17, 497), AgentMetrics.Parse(text) - AgentMetrics.Parse(""));
    }
}
