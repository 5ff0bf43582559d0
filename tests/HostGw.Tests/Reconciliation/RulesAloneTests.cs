using HostGw.Platform;
using HostGw.Reconciliation;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

/// <summary>Where nothing but rules is announced, they are not kept waiting for a dump of all routes.</summary>
public class RulesAloneTests
{
    private readonly Agent _agent = new();

    public RulesAloneTests()
    {
        _agent.Pass();
        _agent.Pass();
    }

    [Fact]
    public void A_rule_is_put_back_without_reading_the_host()
    {
        int reads = _agent.Host.Reads;
        for (int i = 0; i < 3; i++)
        {
            _agent.Host.LoseNat();
            Assert.Equal("created", _agent.Pass(WakeCauses.Nat).NatChange);
        }
        Assert.Equal(reads, _agent.Host.Reads);
    }

    [Theory]
    [InlineData(WakeCauses.Nat | WakeCauses.Routes)]
    [InlineData(WakeCauses.Nat | WakeCauses.Nodes)]
    [InlineData(WakeCauses.Nat | WakeCauses.Overrun)]
    [InlineData(WakeCauses.Resync)]
    internal void Any_other_news_has_it_read(WakeCauses causes)
    {
        _agent.Host.Remove("10.244.2.0/24");

        Assert.Single(_agent.Pass(causes).Routes.Add);
    }

    [Fact]
    public void What_a_pass_changed_is_read_before_it_is_relied_on()
    {
        _agent.Nodes = [.. Agent.ThreeNodes, "d 10.244.4.0/24 10.0.0.4"];
        Assert.Single(_agent.Pass().Routes.Add);

        Assert.Empty(_agent.Pass(WakeCauses.Nat).Failures);
    }

    [Fact]
    public void Forwarding_that_a_pass_turned_on_is_not_turned_on_again()
    {
        _agent.Host.State = _agent.Host.State with { Forwarding = new(false, true) };
        Assert.True(_agent.Pass(WakeCauses.Forwarding).ForwardingChanged);

        Assert.False(_agent.Pass(WakeCauses.Nat).ForwardingChanged);
    }

    [Fact]
    public void So_is_what_was_refused()
    {
        _agent.Host.Refusal = what => what == "nat created" ? new HostRefusal("No buffer space available") : null;
        _agent.Host.LoseNat();
        Assert.NotEmpty(_agent.Pass(WakeCauses.Nat).Failures);
        int reads = _agent.Host.Reads;

        _agent.Pass(WakeCauses.Nat);

        Assert.Equal(reads + 1, _agent.Host.Reads);
    }

    [Fact]
    public void So_is_what_could_not_be_read()
    {
        _agent.Host.ReadRefusal = new HostRefusal("No buffer space available");
        Assert.NotEmpty(_agent.Pass(WakeCauses.Routes).Failures);
        _agent.Host.ReadRefusal = null;
        int reads = _agent.Host.Reads;

        _agent.Pass(WakeCauses.Nat);

        Assert.Equal(reads + 1, _agent.Host.Reads);
    }
}
