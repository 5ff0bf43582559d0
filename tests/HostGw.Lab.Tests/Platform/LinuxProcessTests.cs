using System.Runtime.Versioning;
using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests.Platform;

/// <summary>The agent as a process: the rights it needs, and the programs it does not run.</summary>
[SupportedOSPlatform("linux")]
public sealed class LinuxProcessTests : LabTest
{
    private const string Variable = "LAB_AGENT";
    private const string Only = "--no-new-privs --bounding-set=-all,+net_admin --inh-caps=-all,+net_admin --ambient-caps=-all,+net_admin";
    private const string None = "--no-new-privs --bounding-set=-all --inh-caps=-all --ambient-caps=-all";

    // What others may read, unlike a checkout in somebody's home.
    private readonly DirectoryInfo _files = Directory.CreateTempSubdirectory("hostgw-process");
    private readonly string? _before = Environment.GetEnvironmentVariable(Variable);

    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(3);

    private Node One => Cluster.Node(1);

    private Agent Agent => Cluster.Agent(One);

    [Theory]
    [InlineData(0)]
    [InlineData(65532)]
    public async Task NET_ADMIN_is_all_that_agent_and_cleanup_need(int uid)
    {
        RunThrough($"setpriv --reuid {uid} --regid {uid} --clear-groups {Only}");
        // As Debian has it: what root alone may look into cannot be ours.
        string closed = Path.Combine(_files.FullName, "net.d");
        foreach (string directory in (string[])[closed, Agent.StateDirectory])
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Agent.Settings = Agent.Settings with { More = [.. Clusters.Nftables, "--cni-config-directory", closed] };
        One.Network.Sysctl("ipv4/ip_forward", "0");

        await StartFirstAgentAsync();

        Assert.Equal("1", One.Network.Sysctl("ipv4/ip_forward"));
        Assert.Contains("masquerade", One.Network.Exec("nft", "list", "ruleset"), StringComparison.Ordinal);
        string status = File.ReadAllText($"/proc/{Agent.ProcessId}/status");
        Assert.Matches($@"(?m)^Uid:\s{uid}\s[\s\S]*^CapEff:\s0000000000001000$", status);
        Assert.Equal(0, await Agent.StopAsync());

        Assert.Contains("removed the masquerade rule", Agent.Run("cleanup"), StringComparison.Ordinal);
        await Expect.RoutesAsync(One);
    }

    [Theory]
    [InlineData("chown 998", "chown 0", "belongs to user 998, and without the capability DAC_OVERRIDE nobody else may write there: chown root")]
    [InlineData("mount -t tmpfs -o ro,mode=755 none", "mount -o remount,rw", "mount the host's directory writable, or set cni.install to false")]
    public async Task A_CNI_directory_that_cannot_be_written_is_told_with_the_cure_and_written_once_it_can(string spoil, string cure, string told)
    {
        RunThrough($"setpriv {Only}");
        string directory = Path.Combine(_files.FullName, "net.d");
        Directory.CreateDirectory(directory);
        Command.Run("sh", "-c", $"{spoil} {directory}");
        Agent.Settings = Agent.Settings with { More = [.. Clusters.Nftables, "--cni-install", "true", "--cni-config-directory", directory, "--cni-bin-directory", CniRuntime.Plugins] };
        Agent.Start();
        await Eventually.TrueAsync(() => Agent.Log.Lines.Any(l => l.Contains(told, StringComparison.Ordinal)), () => string.Join('\n', Agent.Log.LastWords(10)));
        Assert.False(await Agent.IsReadyAsync());

        // The agent has mounts of its own, by `ip netns exec`.
        Command.Run("nsenter", "--target", $"{Agent.ProcessId}", "--mount", "sh", "-c", $"{cure} {directory}");
        await Agent.WaitReadyAsync();
        Assert.True(File.Exists($"{directory}/10-hostgw.conflist"));
        Command.Run("sh", "-c", $"umount {directory} 2> /dev/null || true");
    }

    [Theory]
    [InlineData(0, "agent")]
    [InlineData(65532, "agent")]
    [InlineData(0, "cleanup")]
    [InlineData(65532, "cleanup")]
    public void Without_NET_ADMIN_it_ends_with_4_and_says_what_is_missing(int uid, string command)
    {
        RunThrough($"timeout 60 setpriv --reuid {uid} --regid {uid} --clear-groups {None}");

        CommandException e = Assert.Throws<CommandException>(
            () => command == "agent" ? Agent.RunWithSettings(command) : Agent.Run(command));

        Assert.EndsWith("exited with 4: Could not change this host's network: Operation not permitted. Run it as root, or with the capability NET_ADMIN", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_runs_no_program()
    {
        string trace = Path.Combine(_files.FullName, "trace");
        RunThrough($"strace --daemonize --follow-forks --trace=execve,execveat --output={trace}");

        await StartFirstAgentAsync();
        One.Network.Exec("ip", "route", "flush", "proto", "157");
        await Expect.RoutesAsync(One, Cluster.Nodes.Skip(1).SelectMany(Expect.ByNodeAddress));
        Assert.Equal(0, await Agent.StopAsync());

        await Eventually.TrueAsync(() => Calls(trace).Any(c => c.Contains("exited with 0", StringComparison.Ordinal)), () => string.Join('\n', Calls(trace)));
        Assert.Contains("/hostgw\"", Assert.Single(Calls(trace), c => c.Contains("execve", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_read_of_thousands_of_routes_is_one_request_per_family_and_table_and_a_quiet_cleanup_writes_nothing()
    {
        One.Network.Configure(Enumerable.Range(0, 3000).SelectMany(i => new[] { $"route add 10.{100 + i / 250}.{i % 250}.0/24 dev eth0", $"route add fd00:9:{i:x}::/64 dev eth0" }));
        string trace = Path.Combine(_files.FullName, "trace");
        RunThrough($"strace --follow-forks --trace=sendto,sendmsg --output={trace}");

        Assert.StartsWith("nothing of HostGw's is installed on this host", Agent.Run("cleanup"), StringComparison.Ordinal);

        string[] requests = [.. Calls(trace).Where(c => c.Contains("NLM_F_REQUEST", StringComparison.Ordinal))];
        Assert.Equal(4, requests.Count(r => r.Contains("RTM_GETROUTE", StringComparison.Ordinal)));
        Assert.Single(requests, r => r.Contains("RTM_GETLINK", StringComparison.Ordinal));
        Assert.Single(requests, r => r.Contains("RTM_GETADDR", StringComparison.Ordinal));
        Assert.DoesNotContain(requests, r => r.Contains("RTM_NEWROUTE", StringComparison.Ordinal) || r.Contains("RTM_DELROUTE", StringComparison.Ordinal));
    }

    public override async ValueTask DisposeAsync()
    {
        Environment.SetEnvironmentVariable(Variable, _before);
        await base.DisposeAsync();
        _files.Delete(recursive: true);
    }

    private static string[] Calls(string trace) => File.Exists(trace) ? File.ReadAllLines(trace) : [];

    /// <summary>The agent, started by a script that becomes this program and then the agent.</summary>
    private void RunThrough(string program)
    {
        string published = Path.GetDirectoryName(AgentBinary.Find())!;
        Command.Run("cp", "-r", published, $"{_files.FullName}/published");
        string script = $"{_files.FullName}/agent";
        File.WriteAllText(script, $"#!/bin/sh\nexec {program} {_files.FullName}/published/hostgw \"$@\"\n");
        Command.Run("chmod", "-R", "a+rX", _files.FullName, Cluster.Api.Kubeconfig);
        Command.Run("chmod", "a+x", script, $"{_files.FullName}/published/hostgw");
        Environment.SetEnvironmentVariable(Variable, script);
    }
}
