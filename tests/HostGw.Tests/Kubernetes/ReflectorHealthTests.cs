using HostGw.Kubernetes;
using HostGw.Tests.Hosting;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Kubernetes;

public class ReflectorHealthTests
{
    private readonly LogLines _lines = new();
    private readonly ReflectorHealthTracker _health;

    public ReflectorHealthTests() => _health = new(new ManualTime(), _lines, "nodes", "routes");

    [Fact]
    public void Reasons_that_alternate_are_logged_once_each_until_there_is_a_watch_again()
    {
        foreach (string reason in (string[])["refused", "timeout", "refused", "timeout", "refused"])
            _health.Failed(reason);
        Assert.Equal(["refused", "timeout"], Reasons());
        Assert.Equal(("refused", 5L), (_health.Now.Problem, _health.Now.Failures));

        _health.Watching();
        _lines.Take();
        _health.Failed("timeout");
        Assert.Equal(["timeout"], Reasons());
    }

    [Fact]
    public void A_reason_that_is_new_each_time_is_logged_a_few_times()
    {
        for (int i = 0; i < 1000; i++)
            _health.Failed($"port {i} refused");
        Assert.Equal(8, Reasons().Length);
        Assert.Equal("port 999 refused", _health.Now.Problem);
    }

    // An agent keeps routes, and the digest shards.
    [Fact]
    public void The_log_says_what_is_kept()
    {
        _health.Failed("refused");
        new ReflectorHealthTracker(new ManualTime(), _lines, "shards of the digest", "shards").Failed("refused");
        Assert.Equal(
            [
                "Warning 102 Cannot watch nodes: refused. Existing routes are kept",
                "Warning 102 Cannot watch shards of the digest: refused. Existing shards are kept",
            ],
            _lines.Take());
    }

    private string[] Reasons() =>
    [
        .. _lines.Take().Where(l => l.StartsWith("Warning 102", StringComparison.Ordinal))
            .Select(l => l["Warning 102 Cannot watch nodes: ".Length..^". Existing routes are kept".Length]),
    ];
}
