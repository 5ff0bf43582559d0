using System.Text.Json;
using HostGw.Lab.Network;

namespace HostGw.Lab.Agents;

/// <summary>The real agent in one node. It can be started again with other settings.</summary>
public sealed class Agent : RunningProgram
{
    /// <param name="name">Of the agent's log, where a node has a second one.</param>
    /// <param name="port">Of its status endpoint.</param>
    internal Agent(NetworkNamespace node, string kubeconfig, AgentSettings settings, string? name = null, int port = 9157)
        : base(node, node.Name, kubeconfig, name ?? node.Name, port) => Settings = settings;

    /// <summary>Takes effect at the next start.</summary>
    public AgentSettings Settings { get; set; }

    /// <summary>Its settings, as any command takes them.</summary>
    public IEnumerable<string> Flags =>
        ["--node-name", Node, .. Kubeconfig is null ? [] : new[] { "--kubeconfig", Kubeconfig }, .. Settings.Flags];

    private protected override IEnumerable<string> Arguments =>
    [
        "agent", "--listen", Listen, "--log-format", "text", "--resync-seconds", $"{Settings.ResyncSeconds}",
        .. Settings.AgentOnly, .. Flags,
    ];

    private protected override string What => $"the agent of {Node}";

    /// <summary>Runs another command of hostgw on this node and returns its output.</summary>
    public string Run(params IEnumerable<string> arguments) => Command.Run("ip", StartInfo(arguments).ArgumentList);

    /// <summary>Runs a command that takes the settings of the agent, such as plan.</summary>
    public string RunWithSettings(string command, params IEnumerable<string> more) => Run([command, .. Flags, .. more]);

    /// <summary>The rules by which `hostgw doctor` finds something on this node, in its order.</summary>
    public IReadOnlyList<string> Diagnose(params IEnumerable<string> more) =>
        [.. Findings(more).Select(f => f.GetProperty("rule").GetString()!)];

    /// <summary>What `hostgw doctor` finds on this node: rule, problem and cure.</summary>
    public IReadOnlyList<JsonElement> Findings(params IEnumerable<string> more)
    {
        // Exit code 3 says that something was found.
        string json = Command.Run("sh", ["-c", "\"$@\" || [ $? -eq 3 ]", "sh", "ip", .. StartInfo(["doctor", "-o", "json", .. more, .. Flags]).ArgumentList]);
        return [.. JsonDocument.Parse(json).RootElement.GetProperty("findings").EnumerateArray()];
    }
}
