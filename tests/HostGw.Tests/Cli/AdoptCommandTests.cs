using HostGw.Cli;
using HostGw.Tests.Reconciliation;
using HostGw.Tests.Settings;
using Given = HostGw.Tests.Planning.Given;

namespace HostGw.Tests.Cli;

public class AdoptCommandTests
{
    [Fact]
    public void What_would_be_adopted()
    {
        using StringWriter output = new() { NewLine = "\n" };
        AdoptText.Write(PlanCommandTests.Of(PlanCommandTests.Host, PlanCommandTests.Nodes), output);

        Golden.Equal("tests/HostGw.Tests/Cli/Golden/adopt.txt", output.ToString());
    }

    [Fact]
    public void Nothing_to_adopt()
    {
        using StringWriter output = new() { NewLine = "\n" };
        AdoptText.Write(PlanCommandTests.Of(Given.Lan, Agent.ThreeNodes), output);

        Assert.Equal("No foreign route is installed in the place of one of HostGw's.\n", output.ToString());
    }

    [Fact]
    public void An_interface_that_another_agent_has_left_is_named_with_the_command_that_removes_it()
    {
        using StringWriter output = new() { NewLine = "\n" };
        AdoptText.Write(PlanCommandTests.Of($"{Given.Lan}; flannel.1 172.31.0.0/32", Agent.ThreeNodes), output);

        string line = Assert.Single(output.ToString().Split('\n'), l => l.StartsWith("interface  ", StringComparison.Ordinal));
        Assert.Contains("the interface flannel.1 is flannel's", line, StringComparison.Ordinal);
        Assert.EndsWith("if flannel is gone: ip link delete flannel.1", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, ExitCodes.Done, "removed theirs\n", "")]
    [InlineData(false, ExitCodes.Failed, "",
        "No rule was checked, because this node's own podCIDRs are not known: the API server has no Node named 'self'")]
    public void Rules_of_others_are_removed_where_it_is_known_whom_they_harm(bool isKnown, int exitCode, string said, string error)
    {
        bool removed = false;
        Preview preview = PlanCommandTests.Of(Given.Lan, isKnown ? Agent.ThreeNodes : Agent.ThreeNodes[1..]).With(r => r with
        {
            Leftovers = [new("theirs", () => removed = true)],
        });
        using StringWriter output = new() { NewLine = "\n" }, errors = new() { NewLine = "\n" };
        Assert.Equal(exitCode, AdoptCommand.RemoveRules(preview, output, errors));
        Assert.Equal((isKnown, said), (removed, output.ToString()));
        Assert.StartsWith(error, errors.ToString(), StringComparison.Ordinal);
    }
}
