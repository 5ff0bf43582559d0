using HostGw.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace HostGw.Tests.Hosting;

/// <summary>How the agent and the digest run and end.</summary>
public sealed class ProgramHostTests : IDisposable
{
    private readonly List<string> _seen = [];
    private readonly CancellationTokenSource _stop = new();

    public void Dispose() => _stop.Dispose();

    [Fact]
    public async Task A_service_that_fails_ends_the_program_and_is_reported()
    {
        Assert.False(await RunAsync(_ => throw new InvalidOperationException("a bug")));
        Assert.Equal(["made", "starting", "service", "stopped"], _seen);
    }

    [Fact]
    public async Task One_that_is_stopped_ends_in_order()
    {
        Assert.True(await RunAsync(async stopping =>
        {
            await _stop.CancelAsync();
            await Task.Delay(Timeout.Infinite, stopping);
        }));
        Assert.Equal(["made", "starting", "service", "stopped"], _seen);
    }

    [Fact]
    public async Task One_that_is_stopped_before_its_services_start_ends_in_order()
    {
        await _stop.CancelAsync();
        Assert.True(await RunAsync(_ => Task.CompletedTask));
        Assert.Equal(["made", "starting", "stopped"], _seen);
    }

    private async Task<bool> RunAsync(Func<CancellationToken, Task> execute)
    {
        HostApplicationBuilder builder = ProgramHost.NewBuilder(NullLoggerFactory.Instance, new(
            "/nonexistent", () => default, new(), TimeProvider.System, NullLogger<LogLevelReloader>.Instance));
        builder.Services.AddHostedService(_ => new Service(execute, _seen));
        using IHost host = builder.Build();
        return await ProgramHost.RunAsync(host, () => _seen.Add("starting"), () => _seen.Add("stopped"), _stop.Token);
    }

    private sealed class Service : BackgroundService
    {
        private readonly Func<CancellationToken, Task> _execute;
        private readonly List<string> _seen;

        public Service(Func<CancellationToken, Task> execute, List<string> seen)
        {
            (_execute, _seen) = (execute, seen);
            seen.Add("made");
        }

        protected override Task ExecuteAsync(CancellationToken stoppingToken)
        {
            _seen.Add("service");
            return _execute(stoppingToken);
        }
    }
}
