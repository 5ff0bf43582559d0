using HostGw.Lab.Demo;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>What the lab says to a person who types something wrong, or wants to look inside.</summary>
public sealed class LabCommandsTests
{
    [Theory]
    [InlineData("foo", "'foo' is no command of the lab: demo, up, chaos, down, break")]
    [InlineData("--foo", "'--foo' is no command of the lab: demo, up, chaos, down, break")]
    [InlineData("break route --node 2 --node 3", "Option '--node' expects a single argument but 2 were provided.")]
    [InlineData("break rout", "nothing that can be broken is called 'rout': `make break` lists what there is")]
    [InlineData("break route conflict", "Unrecognized command or argument 'conflict'.")]
    [InlineData("down now", "Unrecognized command or argument 'now'.")]
    [InlineData("up --nodes 5", "Unrecognized command or argument '--nodes'.\nUnrecognized command or argument '5'.")]
    [InlineData("chaos --seed x", "a seed is a whole number, and not 'x'")]
    [InlineData("chaos --write", "Required argument missing for option: '--write'.")]
    public async Task A_wrong_command_line_is_explained_and_ends_with_2(string line, string sentence)
    {
        await using StringWriter error = new() { NewLine = "\n" };
        Assert.Equal((2, $"{sentence}\n"), (await Commands.RunAsync(line.Split(' '), error), $"{error}"));
    }

    [Theory]
    [InlineData("9")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("node9")]
    [InlineData("node")]
    [InlineData("two")]
    [InlineData("99999999999")]
    public async Task A_node_that_is_not_there_is_answered_by_those_that_are(string node)
    {
        await using StringWriter error = new() { NewLine = "\n" };
        Assert.Equal(2, await Commands.RunAsync(["break", "route", $"--node={node}"], error));
        Assert.Equal(
            $"there is no node '{node}': the nodes are node1, node2, node3, node4, such as NODE=2 or NODE=node2\n", $"{error}");
    }

    [Theory]
    [InlineData("nosuch", null, "^no fault has 'nosuch' in its name, as the tables of docs/reliability.md have them$")]
    [InlineData("partition", "/nonexistent.md", "^there is no page /nonexistent.md$")]
    [InlineData("partition", "/dev/null", "^/dev/null has no place for the table, between ")]
    [InlineData("partition", null, "^$")]
    public void What_chaos_cannot_do_is_said_before_it_begins(string word, string? page, string complaint) =>
        Assert.Matches(complaint, Chaos.ChaosRun.Complaint([word], page) ?? "");
}

/// <summary>The same in a cluster.</summary>
public sealed class LabCommandsInsideTests : LabTest
{
    private const int Box = 4711;

    // Everything is inside already.
    private static readonly string[] Enter = ["env"];

    private protected override ClusterSettings Settings => new();

    [Fact]
    public void The_commands_to_look_inside_are_of_every_node_and_what_they_say_of_a_node_is_right_in_its_shell()
    {
        string text = Shown(screen => Commands.ShowHowToLookInside(Cluster, Box, screen));

        Assert.All(Cluster.Nodes, node =>
        {
            Assert.Contains($" ip netns exec {node.Name} bash\n", text, StringComparison.Ordinal);
            Assert.Contains($"/run/box/{node.Name}.log\n", text, StringComparison.Ordinal);
            Assert.Equal(node.Name, node.Network.Exec("sh", "-c", "ip netns identify").Trim());
        });
        Assert.Contains(
            "hostgw doctor --node-name $(ip netns identify) --kubeconfig /run/box/kubeconfig --next-hop PodGateway ", text,
            StringComparison.Ordinal);
        Assert.DoesNotContain("hostgw-lab", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("shadow", " ip netns exec node3 bash\n", "hostgw doctor --node-name ", "It should say 'shadowed'.")]
    [InlineData("tunnel-link", " ip netns exec node3 bash\n", "--next-hop NodeAddress ", "--tunnel-mode always\n")]
    [InlineData("forwarding", "hostgw status\n", "With STOP_AGENT=1 it stays", "`make down` and `make up` make a new cluster")]
    public void What_is_broken_is_told_in_commands_of_make(string breakage, params string[] words)
    {
        string text = Shown(screen => Assert.Equal(0, Break(breakage, screen, TextWriter.Null)));

        Assert.All(words, w => Assert.Contains(w, text, StringComparison.Ordinal));
        Assert.DoesNotContain("hostgw-lab", text, StringComparison.Ordinal);
        Assert.DoesNotContain("--stop-agent", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_broken_already_is_one_sentence()
    {
        await using StringWriter error = new() { NewLine = "\n" };
        Shown(screen => Break("vpn", screen, error));

        string shown = Shown(screen => Assert.Equal(1, Break("vpn", screen, error)));

        Assert.Equal("", shown);
        Assert.Matches(
            "^node3 could not be broken, perhaps because it is so already: [^\n]*File exists[^\n]*`make down`[^\n]*\n$", $"{error}");
    }

    private static int Break(string breakage, Screen screen, TextWriter error) =>
        BreakCommand.Break(Breakage.Of(breakage), 3, stop: false, Box, Enter, screen, error);

    private static string Shown(Action<Screen> show)
    {
        using StringWriter output = new() { NewLine = "\n" };
        show(new Screen(output, colours: false));
        return $"{output}";
    }
}
