using HostGw.Lab.Agents;
using HostGw.Lab.Network;

namespace HostGw.Lab.Tests;

/// <summary>The level of the log, switched while the agent runs, as a ConfigMap is changed under a pod.</summary>
public sealed class LogLevelTests : LabTest
{
    private const string Mount = $"{Box.Directory}/mounted";

    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(2);

    private Agent Agent => Cluster.Agent(Cluster.Node(1));

    [Fact]
    public async Task An_agent_follows_the_file_that_kubelet_swaps_and_says_so()
    {
        Directory.CreateDirectory(Mount);
        Swap("one", "log: {level: information}");
        File.CreateSymbolicLink($"{Mount}/config.yaml", "..data/config.yaml");
        Agent.Settings = Agent.Settings with { More = [.. Agent.Settings.More, "--config", $"{Mount}/config.yaml"] };
        await StartFirstAgentAsync();
        Assert.DoesNotContain(Agent.Log.Lines, l => l.Contains(" dbg ", StringComparison.Ordinal));

        Swap("two", "log: {level: debug}");
        await SaidAsync($"Log level changed from information to debug: {Mount}/config.yaml changed");
        Cluster.Node(1).Network.Configure(["address add 172.31.0.1/32 dev lo"]);
        await SaidAsync(" dbg Pass in ");

        Swap("three", "log: {levle: debug}");
        await SaidAsync("changed and cannot be used, log.level is kept");

        Swap("four", "log: {level: warning}");
        await SaidAsync("Log level changed from debug to warning");
        int lines = Agent.Log.Lines.Count;
        Cluster.Node(1).Network.Configure(["route del 192.168.2.0/24"]);
        await Expect.RoutesAsync(Cluster.Node(1), Expect.ByNodeAddress(Cluster.Node(2)));
        Assert.Equal(lines, Agent.Log.Lines.Count);
    }

    // A new folder, and a link that is renamed over the old one.
    private static void Swap(string folder, string text)
    {
        Directory.CreateDirectory($"{Mount}/..{folder}");
        File.WriteAllText($"{Mount}/..{folder}/config.yaml", text);
        File.CreateSymbolicLink($"{Mount}/..data_tmp", $"..{folder}");
        Command.Run("mv", "-T", $"{Mount}/..data_tmp", $"{Mount}/..data");
    }

    private Task<TimeSpan> SaidAsync(string words) => Eventually.TrueAsync(
        () => Task.FromResult(Agent.Log.Lines.Any(l => l.Contains(words, StringComparison.Ordinal))), () => $"'{words}' is not said: {string.Join('\n', Agent.Log.LastWords(10))}");
}
