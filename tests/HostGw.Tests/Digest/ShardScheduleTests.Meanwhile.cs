using HostGw.Digest;

namespace HostGw.Tests.Digest;

/// <summary>What happens while attempts or a check are under way.</summary>
public partial class ShardScheduleTests
{
    // The check said that the one before may be written over.
    [Fact]
    public void What_is_stored_while_the_store_is_asked_is_not_written_over()
    {
        Store(7, Source + 1000);
        Next();
        IReadOnlyList<(int Shard, StoredShard Stored)> behind = _schedule.BeginCheck();
        Store(7, Source + 15, version: 1001);
        Assert.Equal(1, _schedule.EndCheck(behind, Source + 20));
        Assert.Empty(Next().Due);
    }

    [Fact]
    public void A_failure_beside_it_does_not_shorten_the_pause_that_a_server_asked_for()
    {
        Want(7, "10.244.1.0/24");
        Want(8, "10.244.1.0/24");
        Assert.Equal([7, 8], Begun());
        _schedule.End(Result(7, WriteOutcome.Busy) with { RetryAfter = TimeSpan.FromSeconds(90) });
        _schedule.End(Result(8, WriteOutcome.Failed));
        Assert.Equal(([], TimeSpan.FromSeconds(90)), Next());
    }

    [Fact]
    public void Conflicts_without_end_block_a_shard()
    {
        Want(7, "10.244.1.0/24");
        for (int minute = 0; minute < 3; minute++)
        {
            End(7, WriteOutcome.Conflict);
            _time.Advance(TimeSpan.FromMinutes(1));
        }
        _schedule.Next(Source);
        Assert.Equal(TimeSpan.FromMinutes(3), _schedule.BlockedFor);
    }

    [Fact]
    public void It_is_done_when_no_attempt_is_under_way()
    {
        Want(7, "10.244.1.0/24");
        Assert.Equal([7], Begun());
        _stored.Replace(7, _stored[7], new() { ResourceVersion = "900", Source = Source, Sum = _wanted.Sum(7), IsValid = true });
        Next();
        Assert.Equal((512, false), (_schedule.Current, _schedule.IsDone));
        _schedule.End(Result(7, WriteOutcome.Written));
        Assert.True(_schedule.IsDone);
    }
}
