using HostGw.Digest;
using HostGw.FakeApi;
using HostGw.Nodes;

namespace HostGw.Tests.Digest;

/// <summary>What the API server may answer to a write, and what the digest does then.</summary>
public sealed class RefusedWriteTests : DigestTest, IAsyncDisposable
{
    private static readonly string A = ShardText.NameIn(7), B = ShardText.NameIn(8);

    // More than a ConfigMap may hold where each has many addresses.
    private static readonly string[] Many = [.. Enumerable.Range(0, 90).Select(i => ShardText.NameIn(7, i * 5000)).Distinct()];

    private HandFedDigest? _made;
    private DateTimeOffset _startedAt;

    // Two shards are to be written; all others are as they should be.
    private HandFedDigest Digest => _made ??= new(Api);

    private DigestState State => Digest.Writer.State;

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        if (_made is not null)
            await _made.DisposeAsync();
        await DisposeAsync();
    }

    [Fact]
    public async Task A_shard_that_is_absent_is_made()
    {
        await StartAsync();
        await CurrentAsync();
        Assert.Equal((2, 2), (Writes.Length, State.Counts.Written));
        Assert.All(Writes, w => Assert.Equal(("POST", 201), (w.Method, w.Code)));
        Assert.Contains(A, Lines(7), StringComparison.Ordinal);
        Assert.Equal("100", Value(7, "source"));
    }

    // The server may come back with a store that was restored.
    [Fact]
    public async Task While_Nodes_are_not_followed_nothing_is_written()
    {
        Digest.IsFollowing = false;
        await StartAsync();
        await EventuallyAsync(() => State.IsListed, "a turn");
        // Nothing was even compared.
        Assert.Equal((0, 0), (State.Current, Writes.Length));
        Digest.IsFollowing = true;
        Digest.Writer.Signal();
        await CurrentAsync();
        Assert.Equal(2, Writes.Length);
    }

    [Fact]
    public async Task A_missing_namespace_is_told_with_the_cure_and_tried_again_slowly()
    {
        Api.Faults.Answer(404, times: 4, where: r => r.Method == "POST");
        await StartAsync();
        await EventuallyAsync(() => State.Problem is not null, "refused");
        Assert.Equal("There is no namespace hostgw-digest: install it, as the chart does with digest.enabled", State.Problem);
        Assert.Single(Digest.Log.Take());
        Assert.Equal(2, Writes.Length);
        await AdvanceAsync(() => State.Current == 512, TimeSpan.FromSeconds(5));
        Assert.InRange(Digest.Time.GetUtcNow() - _startedAt, TimeSpan.FromSeconds(60), TimeSpan.FromMinutes(10));
        Assert.Equal("Information 806 The shards can be written again", Digest.Log.Take()[0]);
    }

    [Fact]
    public async Task A_missing_right_is_named()
    {
        Api.Faults.Forbid(r => r.Method == "POST");
        await StartAsync();
        await EventuallyAsync(() => State.Refused.Length == 2, "refused");
        Assert.Contains("configmaps is forbidden", State.Problem, StringComparison.Ordinal);
        Assert.EndsWith(
            "The digest needs the right to create and update /api/v1/namespaces/hostgw-digest/configmaps: the chart gives it with digest.enabled",
            State.Problem, StringComparison.Ordinal);
        Assert.Equal((510, 0, 2), (State.Current, State.Waiting, State.Refused.Length));
        Api.Faults.Clear();
        await AdvanceAsync(() => State.Current == 512, TimeSpan.FromSeconds(5));
        Assert.Empty(State.Refused);
    }

    [Theory]
    [InlineData(413)]
    [InlineData(422)]
    public async Task A_shard_that_is_too_large_is_given_up_alone(int code)
    {
        if (code == 413)
            Api.Faults.Answer(413, where: r => r.Method == "POST");
        else
            Digest.Addresses = NodeDraft.MaxEntries;
        await StartAsync(code == 422 ? Many : [A]);
        await EventuallyAsync(() => State.Current == 511 && State.Counts.TooLarge == 1, () => $"{State}");
        Assert.Contains(Digest.Log.Take(), l => l.StartsWith("Warning 804 ", StringComparison.Ordinal));
        Assert.Null(State.Problem);
        Assert.Null(State.BlockedFor);
        Assert.Single(State.Refused);
        for (int i = 0; i < 100; i++)
            Digest.Time.Advance(TimeSpan.FromMinutes(1));
        await Task.Delay(200, TestContext.Current.CancellationToken);
        Assert.Equal(2, Writes.Length);

        Digest.Addresses = 0;
        Digest.ListNodes(500, byQuorum: true, A, B);
        Digest.Put(A, 501, "10.244.5.0/24");
        Digest.Put(B, 502, "10.244.6.0/24");
        await AdvanceAsync(() => State.Current == 512, TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_busy_server_gets_nothing_until_the_time_that_it_named()
    {
        Api.Faults.Answer(429, retryAfter: TimeSpan.FromSeconds(60), where: r => r.Method == "POST");
        await StartAsync();
        await EventuallyAsync(() => State.Problem is not null && State.Current == 511, () => $"{State}");
        Digest.Put(A, 200, "10.244.5.0/24");
        Digest.Put(B, 201, "10.244.6.0/24");
        Digest.Time.Advance(TimeSpan.FromSeconds(59));
        await Task.Delay(200, TestContext.Current.CancellationToken);
        Assert.Equal(2, Writes.Length);
        await AdvanceAsync(() => State.Current == 512, TimeSpan.FromSeconds(1));
        Assert.InRange(Digest.Time.GetUtcNow() - _startedAt, TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(80));
    }

    [Fact]
    public async Task A_server_that_is_away_is_asked_ever_later_and_then_gets_all()
    {
        await Api.StopListeningAsync();
        await StartAsync();
        await EventuallyAsync(() => State.Problem is not null, "not reached");
        await AdvanceAsync(() => State.BlockedFor > LeaseCondition.LongestBlock, TimeSpan.FromSeconds(5));
        await Api.StartListeningAsync();
        await AdvanceAsync(() => State.Current == 512, TimeSpan.FromSeconds(5));
        Assert.Null(State.BlockedFor);
    }

    // Somebody has written it meanwhile, and this digest was not told.
    [Fact]
    public async Task A_conflict_is_read_and_older_content_is_written_over()
    {
        Digest.PutShard(7, ShardText.Data(7, [], source: 50));
        await StartAsync();
        await EventuallyAsync(() => State.Counts.Conflict == 1, () => $"{State}");
        await AdvanceAsync(() => State.Current == 512, TimeSpan.FromSeconds(0.5));
        Assert.Contains(A, Lines(7), StringComparison.Ordinal);
        Assert.Equal(["POST 201", "POST 409", "PUT 200"], Writes.Select(w => $"{w.Method} {w.Code}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task After_a_conflict_content_of_later_Nodes_is_left_until_these_arrive()
    {
        Digest.PutShard(7, ShardText.Data(7, [], source: 1000));
        await StartAsync();
        await EventuallyAsync(() => State.Counts.Behind == 1 && Digest.TimelineReads > 0, () => $"{State}");
        for (int i = 0; i < 40; i++)
            Digest.Time.Advance(TimeSpan.FromSeconds(1));
        await Task.Delay(200, TestContext.Current.CancellationToken);
        Assert.Equal(("", "1000"), (Lines(7), Value(7, "source")));

        Digest.Put(A, 1001, "10.244.5.0/24");
        await AdvanceAsync(() => State.Current == 512, TimeSpan.FromSeconds(1));
        Assert.Equal("1001", Value(7, "source"));
    }

    [Fact]
    public async Task Where_the_store_went_back_the_source_goes_down()
    {
        Digest.PutShard(7, ShardText.Data(7, [], source: 1000));
        Digest.Timeline = 999;
        await StartAsync();
        await AdvanceAsync(() => State.Current == 512, TimeSpan.FromSeconds(0.5));
        Assert.Equal("100", Value(7, "source"));
    }

    // It was deleted, and this digest was not told.
    [Fact]
    public async Task A_shard_that_is_gone_is_made_again()
    {
        Digest.ListNodes(100, byQuorum: false, A, B);
        Digest.ListShardsWithout();
        Delete(7);
        Digest.Put(A, 101, "10.244.5.0/24");
        await Digest.StartAsync();
        await EventuallyAsync(() => State.Counts.Conflict == 1, () => $"{State}");
        await AdvanceAsync(() => State.Current == 512, TimeSpan.FromSeconds(0.5));
        Assert.Equal(["PUT 404", "POST 201"], Writes.Select(w => $"{w.Method} {w.Code}"));
    }

    [Fact]
    public async Task A_request_without_an_answer_is_given_up_and_tried_again()
    {
        Api.Faults.HangRequests = true;
        await StartAsync();
        await AdvanceAsync(() => State.Problem == "no answer within 30 s", TimeSpan.FromSeconds(5));
        Api.Faults.HangRequests = false;
        await AdvanceAsync(() => State.Current == 512, TimeSpan.FromSeconds(5));
        Assert.Null(State.Problem);
    }

    private Task StartAsync(params string[] inSeven)
    {
        _startedAt = Digest.Time.GetUtcNow();
        Digest.ListNodes(100, byQuorum: false, [.. inSeven.DefaultIfEmpty(A), B]);
        Digest.ListShardsWithout(A, B);
        return Digest.StartAsync();
    }

    private Task CurrentAsync() => EventuallyAsync(() => State.Current == 512, () => $"{State}");

    // Time passes in steps until it holds; between them requests are answered.
    private async Task AdvanceAsync(Func<bool> holds, TimeSpan step)
    {
        for (int i = 0; i < 1000 && !holds(); i++)
        {
            Digest.Time.Advance(step);
            for (int wait = 0; wait < 10 && !holds(); wait++)
                await Task.Delay(5, TestContext.Current.CancellationToken);
        }
        Assert.True(holds(), $"{State}");
    }
}
