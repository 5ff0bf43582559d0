using System.Diagnostics;
using System.Runtime.Versioning;
using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Platform.Linux;

namespace HostGw.Lab.Tests.Platform;

[SupportedOSPlatform("linux")]
public sealed class AgentLockTests : IDisposable
{
    private readonly DirectoryInfo _files = Directory.CreateTempSubdirectory("hostgw-lock");
    private readonly LinuxNamespace _host = new();

    public void Dispose()
    {
        _host.Dispose();
        _files.Delete(recursive: true);
    }

    [Fact]
    public void A_second_one_is_refused_and_learns_who_holds_it_until_it_is_released()
    {
        using (AgentLock? first = Acquire())
        {
            Assert.NotNull(first);
            Assert.Null(Acquire());
            Assert.Equal(Environment.ProcessId, HolderPid());
        }
        Assert.Equal(0, HolderPid());
        using AgentLock? next = Acquire();
        Assert.NotNull(next);
    }

    [Fact]
    public void Every_network_namespace_has_one_of_its_own()
    {
        using LinuxNamespace other = new(bare: true);
        using AgentLock? here = Acquire();
        using AgentLock? there = other.Network.Run(AgentLock.TryAcquire);
        Assert.NotNull(here);
        Assert.NotNull(there);
    }

    [Fact]
    public async Task A_killed_agent_holds_it_no_longer()
    {
        using Process agent = StartAgent();
        await Eventually.TrueAsync(() => HolderPid() == agent.Id, () => $"held by {HolderPid()}, agent {agent.Id} exited: {agent.HasExited}");
        Assert.Null(Acquire());
        CommandException refusal = Assert.Throws<CommandException>(() => _host.Network.Exec(AgentBinary.Find(), "cleanup"));
        Assert.Contains($"(pid {agent.Id})", refusal.Message, StringComparison.Ordinal);

        agent.Kill();
        await agent.WaitForExitAsync(TestContext.Current.CancellationToken);

        using AgentLock? next = Acquire();
        Assert.NotNull(next);
    }

    [Fact]
    public async Task A_second_agent_waits_and_takes_over()
    {
        AgentLock? first = Acquire();
        using Process agent = StartAgent();
        string? line;
        do
            line = await agent.StandardError.ReadLineAsync(TestContext.Current.CancellationToken);
        while (line?.Contains($"{Environment.ProcessId}", StringComparison.Ordinal) == false);
        Assert.NotNull(line);

        first!.Dispose();

        await Eventually.TrueAsync(() => HolderPid() == agent.Id, () => $"held by {HolderPid()}, agent {agent.Id} exited: {agent.HasExited}");
        agent.Kill();
        await agent.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    // It listens; it lets nobody in; it does not even listen.
    [Theory]
    [InlineData("listen(S, 5);")]
    [InlineData("listen(S, 0); socket(C, PF_UNIX, SOCK_STREAM, 0); connect(C, $a);")]
    [InlineData("")]
    public async Task A_process_that_is_not_roots_cannot_keep_an_agent_from_its_work(string listen)
    {
        string squat = $"""
            use Socket; $| = 1; $a = pack_sockaddr_un("\0hostgw-agent"); socket(S, PF_UNIX, SOCK_STREAM, 0); bind(S, $a) or die; {listen} print "held\n"; sleep 600;
            """;
        using Process squatter = Process.Start(new ProcessStartInfo("ip",
            ["netns", "exec", _host.Network.Name, "setpriv", "--reuid", "65534", "--clear-groups", "perl", "-e", squat])
        {
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("held", await squatter.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));

        using Process agent = StartAgent();
        List<string?> lines = [];
        do
            lines.Add(await agent.StandardError.ReadLineAsync(TestContext.Current.CancellationToken));
        while (lines[^1]?.Contains("on node node1", StringComparison.Ordinal) == false);

        Assert.Contains(lines, l => l?.Contains("is held by another program", StringComparison.Ordinal) == true);
        Assert.NotNull(lines[^1]);
        agent.Kill();
        squatter.Kill();
        await agent.WaitForExitAsync(TestContext.Current.CancellationToken);
        await squatter.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    private AgentLock? Acquire() => _host.Network.Run(AgentLock.TryAcquire);

    private int HolderPid() => _host.Network.Run(() => AgentLock.Holder().Pid);

    // Its API server never answers.
    private Process StartAgent()
    {
        string kubeconfig = Path.Combine(_files.FullName, "kubeconfig");
        File.WriteAllText(kubeconfig, """
            {"apiVersion":"v1","kind":"Config","current-context":"c","contexts":[{"name":"c","context":{"cluster":"c","user":"u"}}],
             "clusters":[{"name":"c","cluster":{"server":"https://127.0.0.1:1","insecure-skip-tls-verify":true}}],"users":[{"name":"u","user":{"token":"t"}}]}
            """);
        return Process.Start(new ProcessStartInfo("ip",
            ["netns", "exec", _host.Network.Name, AgentBinary.Find(), "agent", "--node-name", "node1", "--kubeconfig", kubeconfig, "--log-format", "text"])
        {
            RedirectStandardError = true,
        })!;
    }
}
