using System.Runtime.Versioning;
using System.Security.Principal;
using HostGw.Platform.Windows;

namespace HostGw.Windows.Tests.OnWindows;

[SupportedOSPlatform("windows")]
public sealed class AgentProcessTests(Verification run) : Asking(run)
{
    private const int CtrlC = 0, CtrlBreak = 1, Shutdown = 6;

    [Fact]
    public Task Ctrl_c() => AskAsync(Question.StopByCtrlC, () => StopAsync(CtrlC));

    [Fact]
    public Task Ctrl_break() => AskAsync(Question.StopByCtrlBreak, () => StopAsync(CtrlBreak));

    // The process is gone the moment its handler returns.
    [Fact]
    public Task End_of_the_pod() => AskAsync(Question.StopByShutdown, () => StopAsync(Shutdown));

    [Fact]
    public Task One_agent_per_host() => AskAsync(Question.Lock, async () =>
    {
        RequireNoAgent();
        string folder = AgentProcess.NewFolder(), state = AgentProcess.StateFlags(folder)[1];
        using (AgentProcess agent = await AgentProcess.StartAsync(folder))
        {
            Assert.Null(WindowsAgentLock.TryAcquire(state, Assert.Fail));
            Assert.Equal((agent.Id, true), WindowsAgentLock.Holder(state));
            // Wine names no owner of a mutex.
            if (!Machine.IsWine)
                RequireMutexOfAgent();
            agent.Kill();
        }
        string refusal;
        using (WindowsAgentLock? mine = WindowsAgentLock.TryAcquire(state, Assert.Fail))
        {
            Assert.NotNull(mine);
            (int exitCode, refusal) = Cleanup(folder);
            Assert.Equal(1, exitCode);
            Assert.Contains($"pid {Environment.ProcessId}", refusal, StringComparison.Ordinal);
        }
        (int done, string output) = Cleanup(folder);
        Assert.True(done == 0, output);
        return refusal.Trim();
    });

    // An object of another kind is no agent's, whoever made it.
    [Fact]
    public Task One_agent_per_host_though_others_took_the_name() => AskAsync(Question.LockOfOthers, async () =>
    {
        RequireNoAgent();
        string folder = AgentProcess.NewFolder(), state = AgentProcess.StateFlags(folder)[1];
        using EventWaitHandle squatter = new(initialState: false, EventResetMode.ManualReset, WindowsAgentLock.Name);
        using AgentProcess agent = await AgentProcess.StartAsync(folder);
        Assert.Null(WindowsAgentLock.TryAcquire(state, Assert.Fail));
        (int exitCode, string refusal) = Cleanup(folder);
        Assert.Equal(1, exitCode);
        Assert.Contains($"pid {agent.Id}", refusal, StringComparison.Ordinal);
        agent.Send(CtrlC);
        (_, string log) = await agent.EndAsync();
        return log.Split('\n').Single(l => l.Contains($"has taken the name {WindowsAgentLock.Name}", StringComparison.Ordinal)).Trim();
    });

    // An agent with another state directory is kept away, too.
    private static void RequireMutexOfAgent()
    {
        using var self = WindowsIdentity.GetCurrent();
        string owner = ObjectOwner.OfMutex(WindowsAgentLock.Name) ?? "none";
        Assert.True(FileOwner.IsTrusted(owner, self.User!.Value), owner);
        Assert.Null(WindowsAgentLock.TryAcquire(Path.Combine(AgentProcess.NewFolder(), "state"), Assert.Fail));
    }

    private static async Task<string> StopAsync(int number)
    {
        RequireNoAgent();
        using AgentProcess agent = await AgentProcess.StartAsync(AgentProcess.NewFolder());
        agent.Send(number);
        (int exitCode, string log) = await agent.EndAsync();
        Assert.True(exitCode == 0, $"exit code {exitCode}: {log}");
        Assert.Contains("Stopped; routes", log, StringComparison.Ordinal);
        return "exit code 0, \"Stopped; routes and the masquerade rule stay in place\"";
    }

    // No CNI configuration of this machine's is touched.
    private static (int ExitCode, string Output) Cleanup(string folder) => Machine.Run(
        AgentProcess.Program, ["cleanup", .. AgentProcess.StateFlags(folder), "--cni-config-directory", Path.Combine(folder, "net.d")]);

    private static void RequireNoAgent()
    {
        string fault = "";
        using WindowsAgentLock? free = WindowsAgentLock.TryAcquire(Path.Combine(AgentProcess.NewFolder(), "state"), f => fault = f);
        if (free is null)
            throw new NotAskedException("an agent runs on this machine");
        if (fault.Length > 0)
            throw new NotAskedException(fault);
    }
}
