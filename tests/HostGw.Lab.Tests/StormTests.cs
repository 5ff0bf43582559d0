using HostGw.Storms;

namespace HostGw.Lab.Tests;

/// <summary>The short form of `make storms`: 300 readers in a process of their own, one real agent, one real digest.</summary>
[Trait("Speed", "slow")]
public sealed class StormTests(StormTests.Site fixture) : IClassFixture<StormTests.Site>
{
    public static TheoryData<string> Names => [.. AllStorms.All.Select(s => s.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task All_know_what_a_fresh_computation_gives_and_nothing_is_sent_in_vain(string storm)
    {
        StormReport report = await StormRun.RunAsync(fixture.Storms, AllStorms.All.Single(s => s.Name == storm));
        TestContext.Current.TestOutputHelper?.WriteLine($"{report}");
        Assert.True(report.Failures.Count == 0, $"{report}");
    }

    /// <summary>One for all: each storm leaves it as it found it.</summary>
    public sealed class Site : IAsyncLifetime
    {
        internal StormSite Storms { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Storms = await StormSite.CreateAsync(StormSettings.Short);

        public async ValueTask DisposeAsync()
        {
            GC.SuppressFinalize(this);
            await Storms.DisposeAsync();
        }
    }
}
