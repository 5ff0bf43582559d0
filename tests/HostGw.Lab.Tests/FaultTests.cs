using HostGw.Lab.Chaos;

namespace HostGw.Lab.Tests;

/// <summary>The short form of `make chaos`: whatever goes wrong, no ping between pods is lost, and all is right again afterwards.</summary>
public sealed class FaultTests(FaultStage fixture) : IClassFixture<FaultStage>
{
    public static TheoryData<string> Names => [.. FaultTable.All.Where(f => !f.IsLongOnly).Select(f => f.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Nothing_is_lost_and_all_is_right_again(string fault)
    {
        FaultResult result = await FaultRun.RunAsync(fixture.Stage, FaultTable.All.Single(f => f.Name == fault));

        Assert.True(result.IsGood, $"{result}\nseed {fixture.Stage.Seed}\n{string.Join('\n', fixture.Stage.First.Log.LastWords(40))}");
    }
}
