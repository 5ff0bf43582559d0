using HostGw.Kubernetes;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Kubernetes;

/// <summary>The table of what is done about what the API server sends, row by row.</summary>
public class ReflectorStateTests
{
    private readonly ManualTime _time = new();
    private double _random = 1;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(10, 0, 1)]
    [InlineData(10, 1, 3)]
    [InlineData(5000, 1, 5)]
    public void An_unreachable_server_is_asked_again_without_growth(int nodes, double random, double seconds)
    {
        ReflectorState state = Watching(nodes);
        _random = random;
        for (int i = 0; i < 20; i++)
            Assert.Equal(Second * seconds, state.After(StepOutcome.Unreachable));
    }

    [Theory]
    [InlineData(nameof(StepOutcome.Untrusted), "1 2 4 8 16 30 30")]
    [InlineData(nameof(StepOutcome.Unauthorized), "0 1 2 4 8 16 30 30")]
    [InlineData(nameof(StepOutcome.Refused), "0.5 1 2 4 8 16 30 30")]
    public void A_pause_grows_until_an_event_a_bookmark_or_a_list(string outcome, string pauses)
    {
        ReflectorState state = Watching();
        for (int round = 0; round < 2; round++)
        {
            string[] seen = [.. pauses.Split(' ').Select(_ => Seconds(state.After(Enum.Parse<StepOutcome>(outcome))))];
            Assert.Equal(pauses, string.Join(' ', seen));
            state.Decide(); // a bare 200 resets nothing
            Assert.Equal("30", Seconds(state.After(Enum.Parse<StepOutcome>(outcome))));
            if (round == 0)
                state.Progressed();
        }
        state.Listed(1, 1);
        Assert.Equal(pauses.Split(' ')[0], Seconds(state.After(Enum.Parse<StepOutcome>(outcome))));
    }

    // A digest, of which there is one: a store that was restored may have grown past our version before the check.
    [Theory]
    [InlineData(nameof(StepOutcome.EndedEarly), true)]
    [InlineData(nameof(StepOutcome.Unreachable), true)]
    [InlineData(nameof(StepOutcome.Ended), false)]
    public void Who_lists_after_a_lost_connection_checks_and_lists(string outcome, bool lists)
    {
        ReflectorState state = new(_time, () => 0, listsAfterLoss: true);
        state.Decide();
        state.Listed(1, 1);
        Assert.Equal(ReflectorStep.Watch, state.Decide());
        state.After(Enum.Parse<StepOutcome>(outcome));
        Assert.Equal(ReflectorStep.CheckTimeline, state.Decide());
        state.After(StepOutcome.Confirmed);
        Assert.Equal(lists ? ReflectorStep.StreamList : ReflectorStep.Watch, state.Decide());
    }

    // A digest is alone with its 50 MB, and an agent that lists one Node is one of thousands.
    [Theory]
    [InlineData(1, 0.05)]
    [InlineData(5000, 250)]
    public void A_list_after_a_lost_connection_is_spread_over_those_who_list(int listers, double seconds)
    {
        ReflectorState state = new(_time, () => 1, () => listers);
        state.Decide();
        state.Listed(10, 50_000_000);
        state.After(StepOutcome.EndedEarly);
        state.Decide();
        _time.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal(TimeSpan.FromSeconds(seconds), state.After(StepOutcome.Confirmed));
        Assert.Equal(TimeSpan.FromSeconds(Math.Max(3, listers / 1000.0)), state.After(StepOutcome.Unreachable));
    }

    [Fact]
    public void A_refusals_pause_has_full_jitter()
    {
        _random = 0;
        Assert.Equal(TimeSpan.Zero, Watching().After(StepOutcome.Refused));
    }

    [Fact]
    public void A_busy_server_is_asked_again_when_it_says_and_that_is_no_failure()
    {
        ReflectorState state = Watching();
        for (int i = 0; i < 5; i++)
            Assert.Equal(Second * 1.2, state.After(StepOutcome.Busy, Second));
        Assert.Equal("0.5", Seconds(state.After(StepOutcome.Refused)));
    }

    [Fact]
    public void An_expired_version_on_a_healthy_connection_is_listed_at_once_and_again_only_after_a_pause()
    {
        ReflectorState state = Watching();
        Assert.Equal(TimeSpan.Zero, state.After(StepOutcome.Expired));
        Assert.Equal(ReflectorStep.StreamList, state.Decide());
        Assert.Equal("0.5", Seconds(state.After(StepOutcome.Expired)));
        Assert.Equal("1", Seconds(state.After(StepOutcome.Expired)));
        state.Listed(1, 1);
        state.Progressed();
        Assert.Equal(TimeSpan.Zero, state.After(StepOutcome.Expired));
    }

    [Fact]
    public void A_version_that_expires_right_after_each_list_is_listed_slower_and_slower_until_an_event_or_a_bookmark()
    {
        ReflectorState state = Watching();
        string[] pauses = [.. Enumerable.Range(0, 9).Select(_ =>
        {
            string pause = Seconds(state.After(StepOutcome.Expired));
            Assert.Equal(ReflectorStep.StreamList, state.Decide());
            state.Listed(1, 1);
            return pause;
        })];
        Assert.Equal("0 0.5 1 2 4 8 16 30 30", string.Join(' ', pauses));
        state.Progressed();
        Assert.Equal(TimeSpan.Zero, state.After(StepOutcome.Expired));
    }

    [Fact]
    public void A_list_that_expires_again_and_again_is_listed_by_quorum()
    {
        ReflectorState state = Watching();
        for (int i = 0; i < 4; i++)
        {
            state.After(StepOutcome.Expired);
            state.Decide();
            Assert.False(state.ByQuorum);
        }
        state.After(StepOutcome.Expired);
        Assert.Equal((ReflectorStep.ListPages, true), (state.Decide(), state.ByQuorum));
    }

    [Fact]
    public void A_quorum_list_that_is_refused_as_too_old_is_asked_for_slower_and_slower()
    {
        ReflectorState state = Watching();
        state.After(StepOutcome.Expired);
        for (int i = 0; i < 4; i++)
        {
            state.Decide();
            state.After(StepOutcome.VersionTooLarge);
        }
        Assert.True(state.ByQuorum);
        string[] pauses = [.. Enumerable.Range(0, 8).Select(_ => Seconds(state.After(StepOutcome.VersionTooLarge)))];
        Assert.Equal("0.5 1 2 4 8 16 30 30", string.Join(' ', pauses));
    }

    [Fact]
    public void A_busy_server_is_patiently_waited_for_until_nothing_was_received_for_two_minutes()
    {
        ReflectorState state = new(_time, () => _random);
        Assert.False(state.IsOverdue);
        _time.Advance(TimeSpan.FromMinutes(2) + Second);
        Assert.True(state.IsOverdue);
        state.Listed(1, 1);
        Assert.False(state.IsOverdue);
    }

    [Theory]
    [InlineData(500, 5_000_000, 2.5)]
    [InlineData(5_000, 50_000_000, 250)]
    public void After_a_lost_connection_the_lists_of_all_agents_are_spread(int nodes, long bytes, double seconds)
    {
        ReflectorState state = Watching(nodes, bytes);
        state.After(StepOutcome.EndedEarly);
        Confirm(state);
        Assert.Equal(ReflectorStep.Watch, state.Decide());
        Assert.Equal(Second * seconds, state.After(StepOutcome.Expired));
        Assert.Equal(ReflectorStep.StreamList, state.Decide());
    }

    [Fact]
    public void A_version_that_is_not_reached_is_checked_then_asked_for_three_times_then_listed_by_quorum()
    {
        ReflectorState state = Watching();
        state.After(StepOutcome.Expired);
        Assert.Equal(ReflectorStep.StreamList, state.Decide());
        Assert.Equal(TimeSpan.Zero, state.After(StepOutcome.VersionTooLarge));
        Assert.Equal(ReflectorStep.CheckTimeline, state.Decide());
        Assert.Equal(Second, state.After(StepOutcome.Confirmed));
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(ReflectorStep.StreamList, state.Decide());
            Assert.Equal(Second, state.After(StepOutcome.VersionTooLarge));
        }
        Assert.False(state.ByQuorum);
        state.Decide();
        state.After(StepOutcome.VersionTooLarge);
        Assert.Equal((ReflectorStep.ListPages, true), (state.Decide(), state.ByQuorum));
        state.Listed(1, 1);
        Assert.False(state.ByQuorum);
    }

    [Fact]
    public void A_store_that_went_back_is_listed_by_quorum_and_no_version_is_remembered()
    {
        ReflectorState state = Watching();
        state.After(StepOutcome.EndedEarly);
        Assert.Equal(ReflectorStep.CheckTimeline, state.Decide());
        Assert.Equal(TimeSpan.Zero, state.After(StepOutcome.WentBack));
        Assert.Equal((ReflectorStep.ListPages, true, false), (state.Decide(), state.ByQuorum, state.KnowsVersion));
        state.After(StepOutcome.Unreachable);
        Assert.Equal((ReflectorStep.ListPages, true, false), (state.Decide(), state.ByQuorum, state.KnowsVersion));
        state.Listed(1, 1);
        Assert.Equal((false, true), (state.ByQuorum, state.KnowsVersion));
    }

    [Fact]
    public void A_server_without_streaming_lists_is_asked_for_pages_until_the_next_server()
    {
        ReflectorState state = new(_time, () => _random);
        Assert.Equal(ReflectorStep.StreamList, state.Decide());
        Assert.Equal(TimeSpan.Zero, state.After(StepOutcome.NoStreamingLists));
        Assert.Equal(ReflectorStep.ListPages, state.Decide());
        state.Listed(1, 1);
        state.After(StepOutcome.Expired);
        Assert.Equal(ReflectorStep.ListPages, state.Decide());
        state.Listed(1, 1);
        state.After(StepOutcome.EndedEarly);
        Confirm(state);
        state.After(StepOutcome.Expired);
        Assert.Equal(ReflectorStep.StreamList, state.Decide());
    }

    [Fact]
    public void A_watch_whose_time_is_over_is_resumed_at_once_after_a_timeline_check()
    {
        ReflectorState state = Watching();
        Assert.Equal(TimeSpan.Zero, state.After(StepOutcome.Ended));
        Confirm(state);
        Assert.Equal(ReflectorStep.Watch, state.Decide());
    }

    [Fact]
    public void A_watch_that_ends_early_is_resumed_within_a_second_and_then_slower_and_slower()
    {
        ReflectorState state = Watching();
        string[] pauses = [.. Enumerable.Range(0, 4).Select(_ =>
        {
            string pause = Seconds(state.After(StepOutcome.EndedEarly));
            Confirm(state);
            Assert.Equal(ReflectorStep.Watch, state.Decide());
            return pause;
        })];
        Assert.Equal(["1", "0.5", "1", "2"], pauses);
        state.Progressed();
        Assert.Equal(Second, state.After(StepOutcome.EndedEarly));
    }

    [Fact]
    public void A_watch_is_resumed_only_from_a_version_of_the_last_two_minutes()
    {
        ReflectorState state = Watching(nodes: 500, bytes: 5_000_000);
        _time.Advance(TimeSpan.FromMinutes(2));
        state.After(StepOutcome.Ended);
        Confirm(state);
        Assert.Equal(ReflectorStep.Watch, state.Decide());
        _time.Advance(Second);
        Assert.Equal(ReflectorStep.StreamList, state.Decide());

        state.Listed(500, 5_000_000);
        state.After(StepOutcome.EndedEarly);
        _time.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal(ReflectorStep.CheckTimeline, state.Decide());
        Assert.Equal(Second * 2.5, state.After(StepOutcome.Confirmed)); // every agent comes back at this moment
        Assert.Equal(ReflectorStep.StreamList, state.Decide());
    }

    [Fact]
    public void No_resumed_watch_goes_unchecked_while_the_server_comes_and_goes()
    {
        ReflectorState state = Watching();
        state.After(StepOutcome.EndedEarly);
        foreach (StepOutcome failure in (StepOutcome[])[StepOutcome.Unreachable, StepOutcome.Busy, StepOutcome.Refused, StepOutcome.Unauthorized])
        {
            Assert.Equal(ReflectorStep.CheckTimeline, state.Decide());
            state.After(failure, Second);
        }
        Confirm(state);
        Assert.Equal(ReflectorStep.Watch, state.Decide());
    }

    [Theory]
    [InlineData(StepOutcome.Refused)]
    [InlineData(StepOutcome.EndedEarly)]
    public void A_timeline_check_that_is_refused_for_ever_gives_way_to_a_list_by_quorum(object outcome)
    {
        ReflectorState state = Watching();
        state.After(StepOutcome.Ended);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(ReflectorStep.CheckTimeline, state.Decide());
            state.After((StepOutcome)outcome);
        }
        Assert.Equal((ReflectorStep.ListPages, true), (state.Decide(), state.ByQuorum));
        state.Listed(10, 1000);
        Assert.Equal(ReflectorStep.Watch, state.Decide());
        state.After(StepOutcome.Ended);
        Assert.Equal(ReflectorStep.CheckTimeline, state.Decide());
    }

    private ReflectorState Watching(int nodes = 10, long bytes = 1000)
    {
        ReflectorState state = new(_time, () => _random);
        state.Decide();
        state.Listed(nodes, bytes);
        Assert.Equal(ReflectorStep.Watch, state.Decide());
        return state;
    }

    private static void Confirm(ReflectorState state)
    {
        Assert.Equal(ReflectorStep.CheckTimeline, state.Decide());
        state.After(StepOutcome.Confirmed);
    }

    private static string Seconds(TimeSpan pause) => pause.TotalSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
