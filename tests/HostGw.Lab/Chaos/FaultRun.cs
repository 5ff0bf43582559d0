using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Chaos;

/// <summary>One fault from beginning to end: pings run, it happens, news come in and a host is tampered with, it ends, all must be right again.</summary>
internal static class FaultRun
{
    private const string Late = "late";
    private const int LateNumber = 101;

    private static readonly TimeSpan Settled = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan PingInterval = TimeSpan.FromMilliseconds(10);

    public static async Task<FaultResult> RunAsync(Stage stage, Fault fault)
    {
        stage.Note = "";
        string? before = await PrepareAsync(stage, fault);
        using var flood = PingFlood.Start(stage.Paths(), PingInterval);
        TimeSpan? recovery = null;
        string? failure = null;
        try
        {
            recovery = await BreakAndMendAsync(stage, fault);
            await stage.ArriveAsync();
            await stage.FreshAsync();
        }
        catch (Exception e)
        {
            failure = e.Message;
        }
        PingFloodResult pings = flood.Stop();
        failure = await TidyAsync(stage, fault) ?? before ?? failure;
        return new(fault, pings, recovery, failure) { Note = stage.Note };
    }

    private static async Task<string?> PrepareAsync(Stage stage, Fault fault)
    {
        try
        {
            await fault.Before(stage);
            return null;
        }
        catch (Exception e) when (e is TimeoutException or InvalidOperationException)
        {
            return $"before: {e.Message}";
        }
    }

    private static async Task<TimeSpan> BreakAndMendAsync(Stage stage, Fault fault)
    {
        try
        {
            await fault.Do(stage);
            stage.Announce(Late, LateNumber);
            if (fault.AgentsWork)
                await RepairedAsync(stage);
            await fault.Meanwhile(stage);
            await Task.Delay(stage.Lasting);
        }
        finally
        {
            await fault.Undo(stage);
        }
        return await stage.SettleAsync();
    }

    // Whatever happens to the API server, a host is kept as it should be.
    private static async Task RepairedAsync(Stage stage)
    {
        stage.TamperWithOne();
        await Eventually.TrueAsync(
            () => Addressing.PodCidrs(Stage.GhostNumber).All(podCidr => KernelRoute.To(stage.One.Network, podCidr).Count == 1),
            () => "a route that somebody deleted did not come back while the fault lasted");
    }

    // The next fault needs a cluster that is in order.
    private static async Task<string?> TidyAsync(Stage stage, Fault fault)
    {
        try
        {
            stage.HostDifference = () => null;
            await fault.After(stage);
            stage.Withdraw(Late);
            if (fault.LeavesPause)
                await ForgetAsync(stage);
            await stage.Cluster.StartAgentsAsync();
            await stage.SettleAsync();
            return null;
        }
        catch (Exception e) when (e is TimeoutException or InvalidOperationException)
        {
            return $"afterwards: {e.Message}";
        }
    }

    // What is left of the pause between attempts must not count for the next fault: it ends when the API server was followed for 5 s.
    private static async Task ForgetAsync(Stage stage)
    {
        if (stage.IsLong)
            await Task.Delay(Settled);
        foreach (Agent agent in stage.Cluster.Agents.Where(agent => !stage.IsLong && agent.IsRunning))
            await agent.KillAsync();
    }
}
