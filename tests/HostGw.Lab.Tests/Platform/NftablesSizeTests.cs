using System.Diagnostics;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Lab.Tests.Platform;

[Collection("nftables")]
[SupportedOSPlatform("linux")]
public sealed class NftablesSizeTests(ITestOutputHelper output) : NftablesTest
{
    [Fact]
    public void Twenty_thousand_prefixes_are_installed_read_and_changed()
    {
        NatPlan plan = NftablesPlans.Large(10_000);
        Measured("install 20,000", () => Reach(plan));
        Measured("read and compare 20,000", () => Assert.Equal(NatChangeKind.None, Difference(plan).Kind));
        NatPlan odd = plan with { Exempt = [.. plan.Exempt.Where((_, i) => i % 2 == 1)] };
        Measured("take 10,000 out", () => Reach(odd));
        Measured("put 10,000 back", () => Reach(plan));
        Assert.Equal(NatChangeKind.None, Difference(plan).Kind);
        Assert.Equal(20_000, Run("nft -j list table inet hostgw").Split("\"prefix\"").Length - 1 - 2);
    }

    [Fact]
    public void A_small_table_is_replaced_a_hundred_times()
    {
        NatPlan other = NftablesPlans.DualStack with { RandomFully = false };
        Reach(NftablesPlans.DualStack);
        Measured("100 small replacements and reads", () =>
        {
            for (int i = 0; i < 50; i++)
            {
                Assert.Equal(NatChangeKind.Rebuild, Reach(other).Kind);
                Assert.Equal(NatChangeKind.Rebuild, Reach(NftablesPlans.DualStack).Kind);
            }
        });
        Measured("100 reads with nothing to do", () =>
        {
            for (int i = 0; i < 100; i++)
                Assert.Equal(NatChangeKind.None, Difference(NftablesPlans.DualStack).Kind);
        });
        NatPlan five = NftablesPlans.Large(2_500);
        Measured("install 5,000", () => Reach(five));
    }

    private void Measured(string what, Action action)
    {
        long start = Stopwatch.GetTimestamp();
        action();
        output.WriteLine($"{what}: {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F1} ms");
    }
}
