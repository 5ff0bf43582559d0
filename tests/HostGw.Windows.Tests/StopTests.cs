namespace HostGw.Windows.Tests;

public sealed class StopTests : WindowsNodeTest
{
    // A pod's end is shutdown; the process is gone the moment its handler returns.
    [Theory]
    [InlineData("Ctrl-C", 0)]
    [InlineData("Ctrl-Break", 1)]
    [InlineData("shutdown", 6)]
    public async Task What_containerd_sends_ends_it_in_order_and_leaves_everything_in_place(string name, int number)
    {
        await using WindowsAgent agent = StartAgent();
        await agent.EventuallyRoutesAsync(Wanted);
        string pid = await File.ReadAllTextAsync(PathTo("state/agent.pid"), TestContext.Current.CancellationToken);
        (int exitCode, _, string error) = await Wine.RunAsync("signal.exe", [pid, $"{number}"], Environment);
        Assert.Equal((0, ""), (exitCode, error));
        Assert.True(await agent.EndAsync() == 0, $"{name}:\n{agent.Log}");
        Assert.Contains("Stopped; routes", agent.Log, StringComparison.Ordinal);
        Assert.Equal(Wanted.Order(StringComparer.Ordinal), Host.Routes());
    }
}
