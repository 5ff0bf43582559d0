using System.Collections.Immutable;
using HostGw.Digest;
using HostGw.Kubernetes;
using HostGw.Planning;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Digest;

/// <summary>Which shard is written when, on time that a test lets pass.</summary>
public partial class ShardScheduleTests
{
    private const ulong Source = 100;

    private static readonly Dictionary<string, string> NoData = [];

    private readonly ManualTime _time = new();
    private readonly WantedShards _wanted = new("");
    private readonly StoredShards _stored = new();
    private readonly ShardDraft _draft = new();
    private readonly ShardSchedule _schedule;
    private ImmutableSortedDictionary<string, ClusterNode> _nodes =
        ImmutableSortedDictionary.Create<string, ClusterNode>(StringComparer.Ordinal);

    public ShardScheduleTests()
    {
        _schedule = new(_wanted, _stored, _time, () => 0);
        _stored.BeginList();
        for (int shard = 0; shard < ShardFormat.Count; shard++)
            Add(shard, ShardText.Data(shard, [], source: 50));
        _stored.CompleteList("1", byQuorum: false);
    }

    [Fact]
    public void Where_nothing_differs_nothing_is_due()
    {
        Assert.Equal(([], TimeSpan.MaxValue), Next());
        Assert.Equal((512, true, null), (_schedule.Current, _schedule.WasComplete, _schedule.Problem));
    }

    [Fact]
    public void At_most_eight_are_written_at_a_time()
    {
        for (int shard = 0; shard < 20; shard++)
            Want(shard, "10.244.1.0/24");
        int[] first = Next().Due;
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7], first);
        Array.ForEach(first, _schedule.Begin);
        Assert.Empty(Next().Due);
        Written(3);
        Written(5);
        Assert.Equal([8, 9], Next().Due);
    }

    [Fact]
    public void A_shard_is_written_soon_and_then_once_a_second()
    {
        Want(7, "10.244.1.0/24");
        Assert.Equal([7], Next().Due);
        _schedule.Begin(7);
        Want(7, "10.244.2.0/24");
        Assert.Empty(Next().Due);
        _schedule.End(Result(7, WriteOutcome.Written));

        Assert.Equal(([], TimeSpan.FromSeconds(1)), Next());
        _time.Advance(TimeSpan.FromSeconds(0.9));
        Assert.Empty(Next().Due);
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal([7], Next().Due);
    }

    // As a Node gets its podCIDR and its addresses: changes of a moment are one write, and a stream of them holds none up.
    [Fact]
    public void A_change_is_written_when_it_has_settled()
    {
        Want(7, "10.244.1.0/24");
        Assert.Equal(TimeSpan.FromMilliseconds(250), _schedule.Next(Source).Wait);
        _time.Advance(TimeSpan.FromMilliseconds(200));
        Want(7, "10.244.2.0/24");
        Assert.Equal(TimeSpan.FromMilliseconds(50), _schedule.Next(Source).Wait);
        _time.Advance(TimeSpan.FromMilliseconds(50));
        Assert.Equal([7], Next().Due);
    }

    // Other labels concern all 512, and every agent receives each of them.
    [Fact]
    public void At_most_a_hundred_are_written_in_a_second()
    {
        for (int shard = 0; shard < 120; shard++)
            Want(shard, "10.244.1.0/24");
        int written = 0;
        (int[] due, TimeSpan wait) = Next();
        for (; due.Length > 0; (due, wait) = Next())
        {
            foreach (int shard in due)
            {
                _schedule.Begin(shard);
                Written(shard);
                written++;
            }
        }
        Assert.Equal(100, written);
        _time.Advance(wait);
        Assert.Equal(8, Next().Due.Length);
    }

    // Something else in the cluster refuses it, again and again.
    [Fact]
    public void One_that_is_refused_alone_holds_no_other_up()
    {
        Want(7, "10.244.1.0/24");
        End(7, WriteOutcome.Refused);
        _time.Advance(ShardSchedule.AfterRefusal);
        Want(8, "10.244.1.0/24");
        Next();
        _schedule.Begin(8);
        Written(8);
        End(7, WriteOutcome.Refused);
        Want(9, "10.244.1.0/24");
        Assert.Equal([9], Next().Due);
    }

    [Fact]
    public void A_deleted_shard_is_written_again()
    {
        ShardText.Fill(_draft, ShardFormat.Name(7), 1000, NoData);
        _stored.Apply(WatchEventType.Deleted, _draft);
        Assert.Equal([7], Next().Due);
    }

    [Fact]
    public void What_reflects_later_Nodes_is_left_until_these_have_arrived()
    {
        Store(7, Source + 1);
        Assert.Empty(Next().Due);
        Assert.True(_schedule.IsCheckDue);
        Check(actual: Source + 1);
        Assert.Equal(([], ShardSchedule.BetweenChecks), Next());
        Assert.Equal((1, false), (_schedule.Counts.Behind, _schedule.IsCheckDue));

        Assert.Equal([7], Next(Source + 1).Due);
    }

    // Two digests that name the same version have the same content: other content of this version was written by hand.
    [Fact]
    public void Other_content_of_the_same_version_is_written_over()
    {
        Store(7, Source);
        Assert.Equal([7], Next().Due);
    }

    [Fact]
    public void A_deleted_shard_is_not_written_with_older_Nodes_than_it_had()
    {
        Store(7, Source + 1);
        ShardText.Fill(_draft, ShardFormat.Name(7), 1000, NoData);
        _stored.Apply(WatchEventType.Deleted, _draft);
        Assert.Empty(Next().Due);
        Assert.Equal([7], Next(Source + 1).Due);
    }

    [Fact]
    public void What_reflects_Nodes_of_the_future_is_written_and_its_source_goes_down()
    {
        Store(7, Source + 1000);
        Store(8, Source + 10);
        Assert.Empty(Next().Due);
        Assert.Equal(1, Check(actual: Source + 20));
        Assert.Equal([7], Next().Due);
    }

    // The answer says nothing of what was written after the question.
    [Fact]
    public void A_check_counts_for_what_was_stored_when_it_began()
    {
        Store(7, Source + 10);
        Next();
        IReadOnlyList<(int Shard, StoredShard Stored)> behind = _schedule.BeginCheck();
        Store(7, Source + 30, version: 1001);
        _schedule.EndCheck(behind, Source + 20);
        Assert.Equal(1, behind.Count(b => b.Stored.Source == Source + 10));
        Assert.Empty(Next().Due);
    }

    [Fact]
    public void The_store_is_asked_again_while_a_shard_stays_behind()
    {
        Store(7, Source + 10);
        Next();
        Check(actual: Source + 10);
        _time.Advance(ShardSchedule.BetweenChecks);
        Next();
        Assert.True(_schedule.IsCheckDue);
        Assert.Equal(1, Check(actual: Source + 5));
        Assert.Equal([7], Next().Due);
    }

    [Fact]
    public void One_that_is_too_large_is_given_up_until_its_nodes_change_and_no_other()
    {
        Want(7, "10.244.1.0/24");
        End(7, WriteOutcome.TooLarge);
        Want(8, "10.244.1.0/24");
        Assert.Equal([8], Next().Due);
        Written(8);
        Assert.Equal(([], TimeSpan.MaxValue), Next());
        Assert.Equal((7, null, null), (Assert.Single(_schedule.Refused).Shard, _schedule.BlockedFor, _schedule.Problem));

        _time.Advance(TimeSpan.FromHours(1));
        Assert.Empty(Next().Due);
        Want(7, "10.244.2.0/24");
        Assert.Equal([7], Next().Due);
    }

    [Fact]
    public void What_is_refused_is_tried_with_another_shard_ever_later_and_then_all_at_once()
    {
        for (int shard = 0; shard < 20; shard++)
            Want(shard, "10.244.1.0/24");
        long start = _time.GetTimestamp();
        foreach (int shard in Begun())
            _schedule.End(Result(shard, WriteOutcome.Refused));
        Assert.Equal("no right", _schedule.Problem);
        foreach (int seconds in (int[])[5, 10, 20, 40, 60])
        {
            Assert.Equal(([], TimeSpan.FromSeconds(seconds)), Next());
            _time.Advance(TimeSpan.FromSeconds(seconds));
            // The first eight wait for a minute; the others take turns.
            int tried = Assert.Single(Begun());
            Assert.True(tried >= 8 || _time.GetElapsedTime(start) >= ShardSchedule.AfterRefusal, $"shard {tried}");
            _schedule.End(Result(tried, WriteOutcome.Refused));
        }
        Next();
        Assert.True(_schedule.BlockedFor > TimeSpan.FromMinutes(2));

        _time.Advance(ShardSchedule.AfterRefusal);
        int trial = Assert.Single(Begun());
        Written(trial);
        Assert.Equal(8, Next().Due.Length);
        Assert.Null(_schedule.Problem);
    }

    [Fact]
    public void Eight_that_fail_together_are_one_failure()
    {
        for (int shard = 0; shard < 20; shard++)
            Want(shard, "10.244.1.0/24");
        foreach (int shard in Begun())
            _schedule.End(Result(shard, WriteOutcome.Failed));
        foreach (int seconds in (int[])[1, 2, 4, 8, 16, 30, 30])
        {
            Assert.Equal(([], TimeSpan.FromSeconds(seconds)), Next());
            _time.Advance(TimeSpan.FromSeconds(seconds));
            _schedule.End(Result(Assert.Single(Begun()), WriteOutcome.Failed));
        }
    }

    [Theory]
    [InlineData("Busy")]
    [InlineData("Failed")]
    public void A_server_that_is_away_or_busy_delays_all_writes(string how)
    {
        var outcome = Enum.Parse<WriteOutcome>(how);
        for (int shard = 0; shard < 20; shard++)
            Want(shard, "10.244.1.0/24");
        int[] begun = Begun();
        foreach (int shard in begun[1..])
            Written(shard);
        _schedule.End(Result(begun[0], outcome) with { RetryAfter = TimeSpan.FromSeconds(90) });
        Assert.Equal(([], TimeSpan.FromSeconds(90)), Next());
        Assert.Empty(_schedule.Refused);

        _time.Advance(TimeSpan.FromSeconds(90));
        Written(Assert.Single(Begun()));
        Assert.Equal(8, Next().Due.Length);
    }

    [Fact]
    public void A_success_of_before_does_not_end_the_pause_that_a_server_asked_for()
    {
        Want(7, "10.244.1.0/24");
        Want(8, "10.244.1.0/24");
        Assert.Equal([7, 8], Begun());
        _schedule.End(Result(7, WriteOutcome.Busy) with { RetryAfter = TimeSpan.FromSeconds(90) });
        Written(8);
        Assert.Equal(([], TimeSpan.FromSeconds(90)), Next());
    }

    [Fact]
    public void A_conflict_is_tried_again_after_a_second_and_delays_no_other()
    {
        Want(7, "10.244.1.0/24");
        End(7, WriteOutcome.Conflict);
        Want(8, "10.244.1.0/24");
        (int[] due, TimeSpan wait) = Next();
        Assert.Equal((8, TimeSpan.FromSeconds(1) - ShardSchedule.Settle), (Assert.Single(due), wait));
        Assert.Equal(1, _schedule.Counts.Conflict);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([7, 8], Next().Due);
    }

    [Fact]
    public void A_shard_is_blocked_from_its_first_failure_until_it_is_as_wanted()
    {
        Want(7, "10.244.1.0/24");
        End(7, WriteOutcome.Failed);
        _time.Advance(TimeSpan.FromMinutes(3));
        End(7, WriteOutcome.Conflict);
        Next();
        Assert.Equal(TimeSpan.FromMinutes(3), _schedule.BlockedFor);
        Written(7);
        Next();
        Assert.Null(_schedule.BlockedFor);
    }

    private (int[] Due, TimeSpan Wait) Next(ulong source = Source)
    {
        (IReadOnlyList<(int Shard, StoredShard Stored)> due, TimeSpan wait) = _schedule.Next(source);
        // What has just changed is due when it has settled.
        if (wait == ShardSchedule.Settle)
        {
            _time.Advance(wait);
            (due, wait) = _schedule.Next(source);
        }
        Assert.All(due, d => Assert.Same(_stored[d.Shard], d.Stored));
        return ([.. due.Select(d => d.Shard)], wait);
    }

    private int[] Begun()
    {
        int[] due = Next().Due;
        Array.ForEach(due, _schedule.Begin);
        return due;
    }

    private int Check(ulong actual) => _schedule.EndCheck(_schedule.BeginCheck(), actual);

    private void End(int shard, WriteOutcome outcome)
    {
        _schedule.Begin(shard);
        _schedule.End(Result(shard, outcome));
    }

    private void Written(int shard)
    {
        _stored.Replace(
            shard, _stored[shard], new() { ResourceVersion = "900", Source = Source, Sum = _wanted.Sum(shard), IsValid = true });
        _schedule.End(Result(shard, WriteOutcome.Written));
    }

    private WriteResult Result(int shard, WriteOutcome outcome) =>
        new(shard, outcome, _wanted.Sum(shard), outcome == WriteOutcome.Written ? "" : "no right");

    // Content that nobody wants.
    private void Store(int shard, ulong source, long version = 500)
    {
        ClusterNode other = Node(ShardText.NameIn(shard), "10.99.0.0/24");
        ShardText.Fill(_draft, ShardFormat.Name(shard), version, ShardText.Data(shard, [other], source: (long)source));
        _stored.Apply(WatchEventType.Modified, _draft);
    }

    private void Add(int shard, Dictionary<string, string> data)
    {
        ShardText.Fill(_draft, ShardFormat.Name(shard), 1, data);
        _stored.AddListed(_draft);
    }

    private void Want(int shard, string podCidr)
    {
        string name = ShardText.NameIn(shard);
        _nodes = _nodes.SetItem(name, Node(name, podCidr));
        _wanted.Take([.. _nodes.Values]);
    }

    private static ClusterNode Node(string name, string podCidr) =>
        new() { Name = name, Uid = $"uid-{name}", CreatedAt = 1000, PodCidrs = [Prefix.Parse(podCidr)] };
}
