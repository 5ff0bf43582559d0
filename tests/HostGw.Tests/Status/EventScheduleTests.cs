using HostGw.Problems;
using HostGw.Status;
using HostGw.Tests.Hosting;
using HostGw.Tests.Reconciliation;
using Microsoft.Extensions.Logging;

namespace HostGw.Tests.Status;

public class EventScheduleTests
{
    private static readonly Problem Rejected = new("PodCIDRRejected", "node b is rejected", "re-create it") { Subject = "b 10.244.2.0/24" };

    private readonly ManualTime _time = new();
    private readonly LogLines _log = new() { Least = LogLevel.Debug };
    private readonly EventSchedule _schedule;

    public EventScheduleTests() => _schedule = new(_time, () => 0, _log);

    [Fact]
    public void A_problem_gets_one_Event_when_it_has_settled_however_many_passes_see_it()
    {
        _schedule.Observe([Rejected], isAll: true);
        Assert.Equal((null, EventPace.Settle), Next());

        int sent = 0;
        for (int pass = 0; pass < 2400; pass++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            _schedule.Observe([Rejected with { Text = $"the words of pass {pass}" }], isAll: true);
            sent += SendAll();
        }
        Assert.Equal(1, sent);
    }

    [Fact]
    public void Nothing_is_scheduled_where_nothing_is_wrong()
    {
        _schedule.Observe([], isAll: true);
        Assert.Equal((null, Timeout.InfiniteTimeSpan), Next());
    }

    [Fact]
    public void What_ends_before_it_settled_is_no_Event_and_told_at_level_debug()
    {
        _schedule.Observe([Rejected], isAll: true);
        _time.Advance(TimeSpan.FromSeconds(9));
        _schedule.Observe([], isAll: true);
        _time.Advance(TimeSpan.FromSeconds(9));

        Assert.Equal((null, Timeout.InfiniteTimeSpan), Next());
        Assert.Equal(["Debug 506 No Event for 'node b is rejected': it ended before it was due or could be sent"], _log.Take());
    }

    [Fact]
    public void What_stays_is_said_again_before_the_server_forgets_it()
    {
        Say(Rejected);
        Assert.Equal((null, EventPace.Renewal), Next());
        _time.Advance(EventPace.Renewal);
        Assert.Equal((Rejected, 1, TimeSpan.Zero), _schedule.Next());
    }

    [Fact]
    public void What_comes_and_goes_raises_its_count_every_five_minutes_at_most()
    {
        Say(Rejected);
        int repeated = 0;
        for (int second = 0; second < 3600; second++)
        {
            _schedule.Observe(second % 30 < 15 ? [] : [Rejected], isAll: true);
            _time.Advance(TimeSpan.FromSeconds(1));
            repeated += SendAll();
        }
        Assert.InRange(repeated, 8, 12);
    }

    [Fact]
    public void An_Event_that_was_forgotten_begins_anew()
    {
        Say(Rejected);
        _schedule.Observe([], isAll: true);
        _time.Advance(EventPace.Memory + TimeSpan.FromSeconds(1));
        _schedule.Observe([], isAll: true);
        _schedule.Observe([Rejected], isAll: true);
        _time.Advance(EventPace.Settle);
        Assert.Equal((Rejected, 0, TimeSpan.Zero), _schedule.Next());
    }

    [Fact]
    public void A_pass_that_could_not_read_the_host_ends_no_problem()
    {
        _schedule.Observe([Rejected], isAll: true);
        _schedule.Observe([], isAll: false);
        _time.Advance(EventPace.Settle);
        Assert.Equal(Rejected, _schedule.Next().Due);
    }

    [Fact]
    public void A_thousand_problems_get_twenty_Events_ten_at_once_and_the_rest_a_line_each_at_level_debug()
    {
        Problem[] many = [.. Enumerable.Range(0, 1000).Select(i => Rejected with { Subject = $"{i}", Text = $"node {i}" })];
        _schedule.Observe(many, isAll: true);
        _time.Advance(EventPace.Settle);
        Assert.Equal(EventPace.AtOnce, SendAll());
        Assert.Equal((null, EventPace.Interval), Next());

        int later = 0;
        for (int second = 0; second < 1200; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            _schedule.Observe(many, isAll: true);
            later += SendAll();
        }
        Assert.Equal(EventPace.Most - EventPace.AtOnce, later);
        Assert.Equal(1000 - EventPace.Most, _log.Take().Count(l => l.Contains("20 others have one", StringComparison.Ordinal)));
    }

    [Fact]
    public void Not_all_nodes_speak_at_once()
    {
        EventSchedule late = new(_time, () => 1, _log);
        late.Observe([Rejected], isAll: true);
        Assert.Equal(EventPace.Settle * 2, late.Next().Wait);
    }

    private (Problem? Due, TimeSpan Wait) Next() => (_schedule.Next().Due, _schedule.Next().Wait);

    private void Say(Problem problem)
    {
        _schedule.Observe([problem], isAll: true);
        _time.Advance(EventPace.Settle);
        Assert.Equal(1, SendAll());
    }

    private int SendAll()
    {
        int sent = 0;
        while (_schedule.Next() is ({ } due, var count, _))
        {
            _schedule.Sent(due, count + 1);
            sent++;
        }
        return sent;
    }
}
