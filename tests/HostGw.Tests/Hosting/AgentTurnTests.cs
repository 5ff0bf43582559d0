using HostGw.Hosting;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Hosting;

public sealed class AgentTurnTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ManualTime _time = new();
    private readonly LogLines _log = new();

    private bool _isFree;

    [Fact]
    public async Task An_agent_alone_begins_at_once()
    {
        _isFree = true;
        Assert.True((await WaitAsync(4711, isAgent: true)).IsOurs);
        Assert.Empty(_log.Take());
    }

    [Theory]
    [InlineData(4711, "pid 4711")]
    [InlineData(0, "in another container or of another user")]
    public async Task A_second_agent_ends_after_a_minute_and_names_the_first(int pid, string holder)
    {
        Task<(bool IsOurs, IDisposable? Lock)> waiting = WaitAsync(pid, isAgent: true);
        await PassAsync(59);
        Assert.False(waiting.IsCompleted);
        Assert.Equal([$"Warning 902 Another agent ({holder}) runs on this host: waiting until it ends"], _log.Take());

        await PassAsync(1);

        Assert.Equal((false, null), await waiting);
        string said = Assert.Single(_log.Take());
        Assert.StartsWith($"Error 909 Another agent ({holder}) has run on this host for 60 s: ending.", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_takes_over_when_the_first_one_ends_before()
    {
        Task<(bool IsOurs, IDisposable? Lock)> waiting = WaitAsync(4711, isAgent: true);
        await PassAsync(30);
        _isFree = true;
        await PassAsync(1);
        Assert.NotNull((await waiting).Lock);
    }

    [Fact]
    public async Task Another_program_that_holds_the_lock_does_not_block_it()
    {
        Task<(bool IsOurs, IDisposable? Lock)> waiting = WaitAsync(0, isAgent: false);
        await PassAsync(1);
        Assert.Equal((true, null), await waiting);
        Assert.StartsWith("Warning 904 ", Assert.Single(_log.Take()), StringComparison.Ordinal);
    }

    private Task<(bool IsOurs, IDisposable? Lock)> WaitAsync(int pid, bool isAgent) =>
        new AgentTurn(() => _isFree ? new MemoryStream() : null, () => (pid, isAgent), _time, _log)
            .WaitAsync(TestContext.Current.CancellationToken);

    private async Task PassAsync(int seconds)
    {
        for (int i = 0; i < seconds; i++)
        {
            await _time.AwaitedAsync(Second);
            _time.Advance(Second);
        }
    }
}
