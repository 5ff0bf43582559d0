using System.Runtime.Versioning;
using HostGw.Cli;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Windows;
using HostGw.Problems;
using HostGw.Reconciliation;

namespace HostGw.Tests.Platform.Windows;

[SupportedOSPlatform("windows")]
[Collection(nameof(WindowsTests))]
public sealed class WindowsOwnershipTests
{
    // AddRoutes.ps1's, and flannel's, whose metric is New-NetRoute's own.
    private const string OfScript = $"route 10.244.2.0/24 10.244.2.1 {WindowsAgent.Uplink} 300 3";
    private const string OfFlannel = $"route 10.244.2.0/24 10.0.0.2 {WindowsAgent.Uplink} 256 3";

    [Theory]
    [InlineData("PodGateway", OfScript, "10.244.2.0/24 10.244.2.1 uplink 300")]
    [InlineData("", OfFlannel, "10.244.2.0/24 10.0.0.2 uplink 256")]
    public void What_others_left_is_reported_and_not_taken(string policy, string left, string stands)
    {
        using WindowsAgent agent = new(policy, left);
        PassReport report = agent.Pass();
        Assert.Empty(report.Failures);
        Assert.Contains(stands, WindowsAgent.Routes);
        string problem = Assert.Single(ProblemCatalog.Texts(report));
        Assert.Contains("node linux 10.244.2.0/24 (conflict)", problem, StringComparison.Ordinal);
        Assert.Contains("NetMgmt", problem, StringComparison.Ordinal);
        Assert.Contains("set adopt to all", problem, StringComparison.Ordinal);
        Assert.Contains("Remove-NetRoute", problem, StringComparison.Ordinal);

        agent.Nodes = agent.Nodes[..1];
        agent.Pass();
        Assert.Contains(stands, WindowsAgent.Routes);
    }

    [Theory]
    [InlineData("PodGateway", OfScript, "10.244.2.0/24 10.244.2.1 uplink 300")]
    [InlineData("", OfFlannel, "10.244.2.0/24 10.0.0.2 uplink 300")]
    public void When_told_it_is_taken_and_goes_with_its_node(string policy, string left, string stands)
    {
        using WindowsAgent agent = new(policy, left) { Adopt = AdoptMode.All };
        agent.Restart();
        PassReport report = agent.Pass();
        Assert.Empty(report.Failures);
        Assert.Empty(ProblemCatalog.Texts(report));
        Assert.Contains(stands, WindowsAgent.Routes);
        Assert.Equal(CorrectionCause.Adopted, Assert.Single(report.Routes.Replace).Cause);

        agent.Nodes = [agent.Nodes[0], agent.Nodes[2]];
        agent.Restart();
        agent.Pass();
        AssertOthersAlone();
    }

    [Fact]
    public void What_was_taken_and_comes_back_at_boot_is_still_ours()
    {
        using WindowsAgent agent = new("", OfFlannel) { Adopt = AdoptMode.All };
        agent.Restart();
        agent.Pass();
        agent.Nodes = [agent.Nodes[0], agent.Nodes[2]];
        agent.Pass();

        agent.Adopt = AdoptMode.None;
        StandIn.Do(OfFlannel);
        agent.Restart();
        agent.Pass();
        AssertOthersAlone();
    }

    [Fact]
    public void A_route_is_written_down_before_it_is_made()
    {
        using WindowsAgent agent = new();
        StandIn.Do("answer CreateIpForwardEntry2 14 99");
        agent.Pass();
        // Refused, every one: what is not there is not ours.
        Assert.Equal(["hostgw-routes 1"], File.ReadAllLines(agent.StateFile));
        StandIn.Do("answer CreateIpForwardEntry2 14 0");
        agent.Pass(WakeCauses.Retry);
        Assert.Equal(6, File.ReadAllLines(agent.StateFile).Length);
    }

    [Fact]
    public void Without_a_record_routes_are_made_all_the_same_and_the_failure_is_told()
    {
        using WindowsAgent agent = new();
        Directory.CreateDirectory(agent.StateFile + ".new");
        PassReport report = agent.Pass();
        Assert.Equal(HostPart.Ownership, Assert.Single(report.Failures).Part);
        Assert.Equal(5, WindowsAgent.PodRoutes.Count());

        // Once it can be written, it is, without anything else to do.
        Directory.Delete(agent.StateFile + ".new");
        Assert.Empty(agent.Pass(WakeCauses.Retry).Failures);
        agent.Nodes = [agent.Nodes[0], agent.Nodes[2]];
        agent.Restart();
        agent.Pass();
        AssertOthersAlone();
    }

    [Fact]
    public void A_record_that_cannot_be_opened_is_not_taken_for_an_empty_one()
    {
        using WindowsAgent agent = new();
        agent.Pass();
        File.Delete(agent.StateFile);
        Directory.CreateDirectory(agent.StateFile);
        Assert.Throws<StateFileException>(agent.Restart);
    }

    [Fact]
    public void What_was_renamed_because_another_user_had_made_it_is_reported_and_no_other_name()
    {
        using WindowsAgent agent = new();
        agent.Pass();
        string directory = $"{Path.GetDirectoryName(agent.StateFile)}.foreign-{Guid.NewGuid():N}";
        string list = $"{agent.StateFile}.foreign-{Guid.NewGuid():N}";
        Directory.CreateDirectory(directory);
        File.WriteAllText(list, "");
        File.WriteAllText(agent.StateFile + ".foreign-planted", "");
        agent.Restart();
        Assert.Equal(
            $"another user had made {directory} and {list}, which HostGw renamed and does not read: " +
            "routes that a list in it names count as foreign. Look at it, remove it and restart the agent",
            Assert.Single(agent.Pass().Result.Obstacles));
        Directory.Delete(directory);
        File.Delete(list);
        agent.Restart();
        Assert.Empty(agent.Pass().Result.Obstacles);
    }

    [Fact]
    public void Of_the_state_directory_only_files_of_HostGw_are_renamed_and_only_the_default_one_itself()
    {
        using WindowsAgent agent = new();
        agent.Pass();
        string[] written = Directory.GetFiles(Path.GetDirectoryName(agent.StateFile)!);
        Assert.All(written, f => Assert.Contains(Path.GetFileName(f), StateDirectory.Files));
        Assert.Equal(["routes.state", "routes.state.new", "nodes", "nodes.tmp", "agent.pid", "agent.lock"], StateDirectory.Files);
        Assert.True(StateDirectory.IsDefault(StateDirectory.Default + Path.DirectorySeparatorChar));
        Assert.False(StateDirectory.IsDefault(Path.Combine(StateDirectory.Default, "other")));
    }

    [Fact]
    public void A_record_that_cannot_be_read_is_told_of()
    {
        using WindowsAgent agent = new();
        agent.Pass();
        File.AppendAllText(agent.StateFile, "10.244.2.0/24 nowhere\n");
        agent.Restart();
        Assert.Contains("1 unreadable lines", Assert.Single(ProblemCatalog.Texts(agent.Pass())), StringComparison.Ordinal);
    }

    [Fact]
    public void Routes_that_went_with_their_interface_are_forgotten()
    {
        using WindowsAgent agent = new();
        agent.Pass();
        StandIn.Do($"remove-interface {WindowsAgent.PodEndpoint}");
        agent.Nodes = [.. agent.Nodes, "new 10.244.4.0/24 10.0.0.4"];
        agent.Pass();
        Assert.DoesNotContain(File.ReadAllLines(agent.StateFile), l => l.EndsWith(WindowsAgent.PodEndpoint, StringComparison.Ordinal));
    }

    [Fact]
    public void Cleanup_removes_what_is_ours_and_nothing_else()
    {
        using WindowsAgent agent = new("", $"route 10.244.9.0/24 10.0.0.9 {WindowsAgent.Uplink} 300 3");
        agent.Pass();
        using StringWriter output = new(), error = new();
        Assert.Equal(ExitCodes.Done, CleanupCommand.Run(agent.Host, output, error).ExitCode);
        Assert.Equal(["10.244.9.0/24 10.0.0.9 uplink 300"], WindowsAgent.PodRoutes);
        Assert.Contains("removed route 10.244.2.0/24 via 10.0.0.2", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("IPv4 forwarding of vEthernet (Ethernet) stays on, for others may need it; off: Set-NetIPInterface -InterfaceAlias 'vEthernet (Ethernet)' -AddressFamily IPv4 -Forwarding Disabled", output.ToString(), StringComparison.Ordinal);
        Assert.Equal("", error.ToString());
    }

    private static void AssertOthersAlone() =>
        Assert.Equal(["10.244.1.0/24", "10.244.3.0/24", "10.244.3.0/24"], WindowsAgent.PodRoutes.Select(r => r.Split(' ')[0]));
}
