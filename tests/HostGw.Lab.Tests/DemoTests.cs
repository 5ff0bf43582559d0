using HostGw.Lab.Demo;

namespace HostGw.Lab.Tests;

/// <summary>What `make demo` runs.</summary>
[Trait("Speed", "slow")]
public sealed class DemoTests
{
    [Fact]
    public async Task Every_check_passes()
    {
        await using var output = new StringWriter();
        Assert.True(await DemoRun.RunAsync(new Screen(output, colours: false)), $"{output}");
    }
}
