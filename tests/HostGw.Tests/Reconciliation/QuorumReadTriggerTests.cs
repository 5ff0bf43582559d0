using HostGw.Planning;
using HostGw.Reconciliation;

namespace HostGw.Tests.Reconciliation;

/// <summary>When all nodes are read by quorum.</summary>
public sealed class QuorumReadTriggerTests : IDisposable
{
    private static readonly PassReport Missing = new() { Plan = new Plan { KnowsSelf = false } };
    private static readonly PassReport Known = new() { Plan = new Plan { KnowsSelf = true } };

    private readonly ManualTime _time = new();
    private readonly QuorumReadTrigger _trigger;
    private int _reads;

    public QuorumReadTriggerTests() => _trigger = new(() => _reads++, _time);

    [Fact]
    public void Held_removals_are_asked_about_at_once()
    {
        _trigger.After(Known with { HeldRemovals = new HeldRemovals(4, 6) });
        Assert.Equal(1, _reads);
    }

    // A list by quorum would hold no more than the one before.
    [Fact]
    public void Removals_that_wait_for_shards_of_the_digest_are_not_asked_about()
    {
        _trigger.After(Known with { HeldRemovals = new HeldRemovals(4, 6) { IsPartial = true } });
        Assert.Equal(0, _reads);
    }

    [Fact]
    public void An_own_node_that_is_missing_is_asked_for_again_and_again_ever_more_seldom()
    {
        foreach (int seconds in (int[])[1, 2, 4, 8, 16, 32, 60, 60])
        {
            int before = _reads;
            _trigger.After(Missing);
            _trigger.After(Missing);
            Assert.Equal(TimeSpan.FromSeconds(seconds), Assert.Single(_time.Pending()));
            _time.Advance(TimeSpan.FromSeconds(seconds));
            Assert.Equal(before + 1, _reads);
        }
        _trigger.After(Known);
        Assert.Empty(_time.Pending());
        _trigger.After(Missing);
        Assert.Equal(TimeSpan.FromSeconds(1), Assert.Single(_time.Pending()));
    }

    [Fact]
    public void Nothing_is_asked_where_all_is_well_or_nothing_is_known()
    {
        _trigger.After(Known);
        _trigger.After(new());
        Assert.Equal(0, _reads);
        Assert.Empty(_time.Pending());
    }

    [Fact]
    public void The_plan_knows_whether_our_own_node_is_there()
    {
        Agent agent = new();
        Assert.True(agent.Pass().Plan!.KnowsSelf);
        agent.Nodes = ["b 10.244.2.0/24 10.0.0.2"];
        Assert.False(agent.Pass().Plan!.KnowsSelf);
    }

    public void Dispose() => _trigger.Dispose();
}
