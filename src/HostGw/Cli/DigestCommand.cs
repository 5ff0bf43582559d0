using System.CommandLine;
using HostGw.Digest;
using HostGw.Hosting;
using HostGw.Kubernetes;
using HostGw.Settings;
using k8s.Models;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serilog.Core;

namespace HostGw.Cli;

/// <summary>Runs the node digest until it receives SIGTERM, or prints once what it would write. The shards stay in place.</summary>
internal static class DigestCommand
{
    public const string Name = "digest";

    public static Command Create()
    {
        Option<bool> once = new("--once") { Description = "Print the ConfigMaps as they would be now, write nothing, and end" };
        Option<string> output = new("--output", "-o") { Description = "Form of what --once prints", DefaultValueFactory = _ => "yaml" };
        output.AcceptOnlyFromAmong("yaml");
        Command command = CommandLine.Create(
            Name, "Watch the cluster's Nodes and keep the node digest, which agents of large clusters follow. One per cluster.",
            UsedBy.Digest, async (settings, parsed, cancellationToken) =>
            {
                DigestLabels.Check(settings);
                // Nothing is saved on this host.
                settings = settings with { StateDirectory = null };
                if (!parsed.GetValue(once))
                    return await RunAsync(settings, parsed, cancellationToken);
                ShardYaml.Write(await DigestHost.MakeAsync(settings, cancellationToken), parsed.InvocationConfiguration.Output);
                return ExitCodes.Done;
            });
        command.Options.Add(once);
        command.Options.Add(output);
        return command;
    }

    private static async Task<int> RunAsync(AgentSettings settings, ParseResult flags, CancellationToken cancellationToken)
    {
        LoggingLevelSwitch level = new(Logging.Level(settings.LogLevel));
        using ILoggerFactory loggers = Logging.CreateFactory(settings, level);
        ILogger logger = loggers.CreateLogger("HostGw");
        using IHost host = DigestHost.Build(settings, loggers, CommandLine.FollowLogLevel(UsedBy.Digest, flags, level, loggers));
        return await ProgramHost.RunAsync(host, () => LogStart(settings, logger), logger.DigestStopped, cancellationToken)
            ? ExitCodes.Done
            : ExitCodes.Failed;
    }

    private static void LogStart(AgentSettings settings, ILogger logger)
    {
        string labels = ShardFormat.Labels(DigestLabels.Of(settings));
        ApiConfiguration api = ApiAccess.Configuration(settings);
        logger.DigestStarted(AgentVersion.Full, settings.NodeName, labels.Length > 0 ? labels : "none", api.Server.ToString());
    }
}

/// <summary>ConfigMaps as a List in YAML, which `kubectl apply -f` reads.</summary>
internal static class ShardYaml
{
    public static void Write(IEnumerable<V1ConfigMap> maps, TextWriter output)
    {
        output.Write("apiVersion: v1\nkind: List\nitems:\n");
        foreach (V1ConfigMap map in maps)
        {
            output.Write($"- apiVersion: {map.ApiVersion}\n  kind: {map.Kind}\n  metadata:\n");
            output.Write($"    name: {map.Metadata.Name}\n    namespace: {map.Metadata.NamespaceProperty}\n    labels:\n");
            foreach ((string key, string value) in map.Metadata.Labels)
                output.Write($"      {key}: {value}\n");
            output.Write("  data:\n");
            foreach ((string key, string value) in map.Data)
                WriteValue(key, value, output);
        }
    }

    // Values are printable ASCII and tabs. The indicator 2 says how far a block is indented, whatever its first line begins with.
    private static void WriteValue(string key, string value, TextWriter output)
    {
        if (!value.EndsWith('\n'))
        {
            output.Write($"    {key}: \"{value}\"\n");
            return;
        }
        output.Write($"    {key}: |2\n");
        foreach (string line in value[..^1].Split('\n'))
            output.Write($"      {line}\n");
    }
}
