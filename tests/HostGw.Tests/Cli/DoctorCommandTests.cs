using System.Text.Json;
using HostGw.Cli;
using HostGw.Problems;

namespace HostGw.Tests.Cli;

public class DoctorCommandTests
{
    private static readonly Problem[] Two =
        [new("mtu", "too large\u001b]0;owned\u0007", "make it smaller"), new("routes", "1 missing", "start the agent")];

    [Fact]
    public void As_text()
    {
        Assert.Equal(
            "! mtu: too large\\u{1b}]0;owned\\u{7}\n    make it smaller\n! routes: 1 missing\n    start the agent\n2 found.\n", Text(Two));
        Assert.Equal("No problem found from this host.\n", Text([]));
    }

    [Fact]
    public void As_JSON()
    {
        JsonElement json = JsonDocument.Parse(FindingsJson.Write("a", Two)).RootElement;

        Assert.Equal((1, "a"), (json.GetProperty("schemaVersion").GetInt32(), json.GetProperty("node").GetString()));
        Assert.Equal(["mtu", "routes"], json.GetProperty("findings").EnumerateArray().Select(f => f.GetProperty("rule").GetString()));
        Assert.Equal("make it smaller", json.GetProperty("findings")[0].GetProperty("cure").GetString());
    }

    [Theory]
    [InlineData("/nonexistent/kubeconfig")]
    [InlineData(null)]
    public async Task An_API_server_that_cannot_be_asked_is_a_finding_and_no_secret_is_told(string? path)
    {
        using TemporaryKubeconfig kubeconfig = await TemporaryKubeconfig.OfGoneServerAsync();

        CommandRun ran = await CommandRun.OfAsync("doctor", "-o", "json", "--node-name", "a", "--kubeconfig", path ?? kubeconfig.Path);

        Assert.Equal((ExitCodes.Difference, ""), (ran.ExitCode, ran.Error));
        JsonElement first = JsonDocument.Parse(ran.Output).RootElement.GetProperty("findings")[0];
        Assert.Equal("apiServer", first.GetProperty("rule").GetString());
        Assert.Contains(path ?? "127.0.0.1:", first.GetProperty("problem").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain(TemporaryKubeconfig.Token, ran.Output, StringComparison.Ordinal);
    }

    private static string Text(Problem[] findings)
    {
        using StringWriter output = new() { NewLine = "\n" };
        FindingsText.Write(findings, output);
        return output.ToString();
    }
}
