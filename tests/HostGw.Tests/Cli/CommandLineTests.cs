using HostGw.Cli;
using HostGw.Tests.Settings;

namespace HostGw.Tests.Cli;

public class CommandLineTests
{
    [Fact]
    public async Task Help_teaches_what_there_is()
    {
        CommandRun help = await CommandRun.OfAsync("--help");

        Assert.Equal(ExitCodes.Done, help.ExitCode);
        // The name is that of the program that runs: here the tests'.
        var lines = help.Output.Split('\n').Select(l => l.TrimEnd())
            .Where(l => !l.Contains("[command] [options]", StringComparison.Ordinal));
        Golden.Equal("tests/HostGw.Tests/Cli/Golden/help.txt", string.Join('\n', lines).TrimEnd() + "\n");
    }

    [Theory]
    [InlineData("agent")]
    [InlineData("plan")]
    [InlineData("status")]
    [InlineData("adopt")]
    [InlineData("cleanup")]
    [InlineData("doctor")]
    [InlineData("digest")]
    public async Task Every_command_explains_itself(string command)
    {
        CommandRun help = await CommandRun.OfAsync(command, "--help");

        Assert.Equal((ExitCodes.Done, ""), (help.ExitCode, help.Error));
        Assert.Contains("--config <file>", help.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_command_it_fails_and_shows_the_help()
    {
        CommandRun ran = await CommandRun.OfAsync();

        Assert.Equal(ExitCodes.Usage, ran.ExitCode);
        Assert.Contains("Commands:", ran.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("agnet")]
    [InlineData("plan --no-such-flag")]
    [InlineData("plan -o yaml")]
    [InlineData("status extra")]
    [InlineData("plan --cluster-cidrs")]
    public async Task A_wrong_command_line_ends_with_2_and_a_hint_instead_of_a_page_of_help(string line)
    {
        CommandRun ran = await CommandRun.OfAsync(line.Split(' '));

        Assert.Equal(ExitCodes.Usage, ran.ExitCode);
        Assert.DoesNotContain("Options:", ran.Output, StringComparison.Ordinal);
        string command = line.Split(' ') is [("plan" or "status") and var known, ..] ? $"hostgw {known}" : "hostgw";
        Assert.EndsWith($"`{command} --help` lists what there is.", ran.Error.TrimEnd(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("foo", "'foo' is neither a command nor an option of hostgw. Commands: agent, plan, status, doctor, adopt, cleanup, digest")]
    [InlineData("-v", "'-v' is neither a command nor an option of hostgw. Commands: agent, plan, status, doctor, adopt, cleanup, digest")]
    [InlineData("foo --help", "'foo' is neither a command nor an option of hostgw. Commands: agent, plan, status, doctor, adopt, cleanup, digest")]
    [InlineData("help foo", "'foo' is neither a command nor an option of hostgw. Commands: agent, plan, status, doctor, adopt, cleanup, digest")]
    [InlineData("plan --kubeconfg /x", "'--kubeconfg' is no option of hostgw plan; the nearest is --kubeconfig")]
    [InlineData("plan --kubeconfg=/x", "'--kubeconfg' is no option of hostgw plan; the nearest is --kubeconfig")]
    [InlineData("agent --log.level debug", "'--log.level' is no option of hostgw agent; the nearest is --log-level")]
    [InlineData("--kubeconfig /x plan", "'--kubeconfig' must come after the command: hostgw plan --kubeconfig")]
    [InlineData("status extra", "hostgw status takes options only, and no 'extra'")]
    [InlineData("doctor --probe maybe", "hostgw doctor takes options only, and no 'maybe'")]
    [InlineData("plan --cluster-cidrs", "Required argument missing for option: '--cluster-cidrs'.")]
    [InlineData("plan -o yaml", "Argument 'yaml' not recognized. Must be one of: 'table' 'json'")]
    public async Task A_wrong_command_line_is_explained_by_one_sentence(string line, string sentence)
    {
        CommandRun ran = await CommandRun.OfAsync(line.Split(' '));

        Assert.Equal((ExitCodes.Usage, ""), (ran.ExitCode, ran.Output));
        Assert.Equal(sentence, ran.Error.Split('\n')[0]);
        Assert.Equal(2, ran.Error.TrimEnd().Split('\n').Length);
    }

    [Fact]
    public async Task The_word_help_shows_the_help_of_a_command()
    {
        Assert.Equal(await CommandRun.OfAsync("--help"), await CommandRun.OfAsync("help"));
        Assert.Equal(await CommandRun.OfAsync("plan", "--help"), await CommandRun.OfAsync("help", "plan"));
    }

    [Fact]
    public async Task A_folder_in_the_place_of_the_settings_is_named()
    {
        CommandRun ran = await CommandRun.OfAsync("plan", "--config", "/");

        Assert.Equal((ExitCodes.Usage, "config: '/' (flag --config) cannot be read: it is a folder\n"), (ran.ExitCode, ran.Error));
    }

    [Theory]
    [InlineData("plan --next-hop Somewhere", "nextHop: ")]
    [InlineData("plan --cluster-cidrs 10.244.0.0/33", "clusterCidrs: ")]
    [InlineData("agent --resync-seconds 0", "resyncSeconds: ")]
    [InlineData("status --listen nowhere", "listen: ")]
    [InlineData("cleanup --route-protocol 2", "routeProtocol: ")]
    [InlineData("adopt --adopt some", "adopt: ")]
    public async Task A_wrong_setting_ends_with_2_and_is_named(string line, string error)
    {
        CommandRun ran = await CommandRun.OfAsync(line.Split(' '));

        Assert.Equal((ExitCodes.Usage, ""), (ran.ExitCode, ran.Output));
        Assert.StartsWith(error, ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kubeconfig_that_is_not_there_ends_with_2()
    {
        CommandRun ran = await CommandRun.OfAsync("plan", "--node-name", "a", "--kubeconfig", "/nonexistent/kubeconfig");

        Assert.Equal(ExitCodes.Usage, ran.ExitCode);
        Assert.Contains("/nonexistent/kubeconfig", ran.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", ran.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("plan")]
    [InlineData("adopt")]
    public async Task An_API_server_that_does_not_answer_ends_with_1(string command)
    {
        using TemporaryKubeconfig kubeconfig = await TemporaryKubeconfig.OfGoneServerAsync();

        CommandRun ran = await CommandRun.OfAsync(command, "--node-name", "a", "--kubeconfig", kubeconfig.Path);

        Assert.Equal((ExitCodes.Failed, ""), (ran.ExitCode, ran.Output));
        Assert.Contains("127.0.0.1:", ran.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", ran.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(TemporaryKubeconfig.Token, ran.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_version_is_number_and_commit() =>
        Assert.Matches("^[0-9]+\\.[0-9]+\\.[0-9]+", (await CommandRun.OfAsync("--version")).Output);
}
