using HostGw.Platform;

namespace HostGw.Tests.Reconciliation;

/// <summary>Where nothing of the host's tables was announced, nobody waits for a dump of all routes.</summary>
public class ReadAnewTests
{
    private readonly Agent _agent = new();

    public ReadAnewTests()
    {
        _agent.Pass();
        _agent.Pass();
    }

    [Theory]
    [InlineData(WakeCauses.Nodes, 0)]
    [InlineData(WakeCauses.Nat, 0)]
    [InlineData(WakeCauses.Cni, 0)]
    [InlineData(WakeCauses.Nodes | WakeCauses.Nat | WakeCauses.Cni, 0)]
    [InlineData(WakeCauses.Nodes | WakeCauses.Start, 1)]
    [InlineData(WakeCauses.Nodes | WakeCauses.Routes, 1)]
    [InlineData(WakeCauses.Nodes | WakeCauses.Links, 1)]
    [InlineData(WakeCauses.Nodes | WakeCauses.Addresses, 1)]
    [InlineData(WakeCauses.Nodes | WakeCauses.Forwarding, 1)]
    [InlineData(WakeCauses.Nodes | WakeCauses.Overrun, 1)]
    [InlineData(WakeCauses.Nodes | WakeCauses.Retry, 1)]
    [InlineData(WakeCauses.Nodes | WakeCauses.Resync, 1)]
    internal void What_tells_of_nodes_or_rules_alone_has_no_table_read_anew(WakeCauses causes, int expected)
    {
        int before = _agent.Host.ReadsAnew;
        _agent.Pass(causes);
        Assert.Equal(expected, _agent.Host.ReadsAnew - before);
    }
}
