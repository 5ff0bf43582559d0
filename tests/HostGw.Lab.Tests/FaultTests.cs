using HostGw.Lab.Chaos;

namespace HostGw.Lab.Tests;

/// <summary>The short form of `make chaos`: whatever goes wrong, no ping between pods is lost, and all is right again afterwards.</summary>
public abstract class FaultTest(FaultStage fixture)
{
    private protected static TheoryData<string> NamesOf(bool isTunnelled) =>
        [.. Faults(isTunnelled).Where(f => !f.IsLongOnly).Select(f => f.Name)];

    private protected async Task SurvivesAsync(string fault)
    {
        Stage stage = fixture.Stage;
        FaultResult result = await FaultRun.RunAsync(stage, Faults(stage.IsTunnelled).Single(f => f.Name == fault));

        Assert.True(result.IsGood, $"{result}\nseed {stage.Seed}\n{string.Join('\n', stage.First.Log.LastWords(40))}");
        TestContext.Current.TestOutputHelper?.WriteLine($"{result} {result.Note}");
    }

    private static IReadOnlyList<Fault> Faults(bool isTunnelled) => FaultTable.All.Single(t => t.IsTunnelled == isTunnelled).Faults;
}

/// <summary>On one segment.</summary>
[Trait("Speed", "slow")]
public sealed class FaultTests(SegmentStage fixture) : FaultTest(fixture), IClassFixture<SegmentStage>
{
    public static TheoryData<string> Names => NamesOf(isTunnelled: false);

    [Theory]
    [MemberData(nameof(Names))]
    public Task Nothing_is_lost_and_all_is_right_again(string fault) => SurvivesAsync(fault);
}

/// <summary>With probes and the tunnel.</summary>
[Trait("Speed", "slow")]
public sealed class TunnelFaultTests(TunnelStage fixture) : FaultTest(fixture), IClassFixture<TunnelStage>
{
    public static TheoryData<string> Names => NamesOf(isTunnelled: true);

    [Theory]
    [MemberData(nameof(Names))]
    public Task Nothing_is_lost_but_by_the_fault_itself_and_all_is_right_again(string fault) => SurvivesAsync(fault);
}
