using System.Text;
using HostGw.FakeApi;
using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>What an agent knows that nobody else should.</summary>
public sealed class SecretsTests : LabTest
{
    private const string TokenFile = "token";

    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(2);

    private Node One => Cluster.Node(1);

    private Agent Agent => Cluster.Agent(One);

    [Fact]
    public async Task The_token_is_in_no_log_no_status_no_page_and_no_argument_whatever_goes_wrong()
    {
        string token = Inline(Cluster.Api.Server.IssueToken("hostgw-test"));
        Agent.Settings = Agent.Settings with { More = [.. Agent.Settings.More, "--log-level", "trace"] };
        var told = new StringBuilder();

        await StartFirstAgentAsync();
        told.Append(await SaidAsync());

        // Refused, answered nonsense, cut off, and gone.
        Cluster.Api.Server.Faults.AnswerGarbage(2);
        Cluster.Api.Server.Faults.Truncate(100, 2);
        Cluster.Api.Server.Faults.Answer(500, 2);
        Cluster.Api.Server.ExpireToken(token);
        await Cluster.Api.Server.StopListeningAsync();
        await Eventually.TrueAsync(() => Agent.Log.Lines.Any(l => l.Contains("Cannot watch nodes", StringComparison.Ordinal)), () => "it does not say that the API server is gone");
        await Cluster.Api.Server.StartListeningAsync();
        await Eventually.TrueAsync(() => Agent.Log.Lines.Any(l => l.Contains("is not accepted", StringComparison.Ordinal)), () => "it does not say that its token is refused");
        told.Append(await SaidAsync());

        Assert.DoesNotContain(token, told.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("BEGIN", told.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_that_cannot_be_one_is_not_told_either()
    {
        const string Token = "no token\tat all";
        string kubeconfig = File.ReadAllText(Cluster.Api.Kubeconfig);
        File.WriteAllText($"{Box.Directory}/{TokenFile}", Token);
        Cluster.Api.Server.WriteKubeconfig(Cluster.Api.Kubeconfig, new KubeconfigOptions { Token = Token, TokenFile = $"{Box.Directory}/{TokenFile}" });

        Agent.Start();
        await Eventually.TrueAsync(() => Agent.Log.Lines.Any(l => l.Contains("contains characters that no token has", StringComparison.Ordinal)), () => "it does not say what is wrong with its token");
        Assert.DoesNotContain("at all", await SaidAsync(), StringComparison.Ordinal);
        File.WriteAllText(Cluster.Api.Kubeconfig, kubeconfig);
    }

    // The kubeconfig with this token, which is then known.
    private string Inline(string token)
    {
        Cluster.Api.Server.WriteKubeconfig(Cluster.Api.Kubeconfig, new KubeconfigOptions { Token = token });
        Assert.Contains(token, File.ReadAllText(Cluster.Api.Kubeconfig), StringComparison.Ordinal);
        return token;
    }

    private async Task<string> SaidAsync()
    {
        await Eventually.TrueAsync(Agent.IsAnsweringAsync, () => "no answer");
        string[] answers = [.. ((string[])["/", "/status", "/metrics", "/nothing"]).Select(p => One.Network.Exec("curl", "--silent", "--include", $"http://127.0.0.1:9157{p}"))];
        string arguments = File.ReadAllText($"/proc/{Agent.ProcessId}/cmdline") + File.ReadAllText($"/proc/{Agent.ProcessId}/environ");
        string commands = string.Join('\n', ((string[])["status", "doctor", "plan"]).Select(c =>
            Command.Run("sh", ["-c", "\"$@\" 2>&1 || true", "sh", "ip", "netns", "exec", One.Name, AgentBinary.Find(), c, .. c == "status" ? [] : Agent.Flags])));
        return string.Join('\n', [.. Agent.Log.Lines, .. answers, arguments, commands]);
    }
}
