using System.Collections;
using System.CommandLine;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Platform;
using HostGw.Platform.Linux.Netlink;
using HostGw.Settings;

namespace HostGw.Commands;

/// <summary>The commands, and what all of them do alike: read settings, explain errors, choose an exit code.</summary>
internal static class CommandLine
{
    public static RootCommand Build()
    {
        var root = new RootCommand("Keeps this host's routes to the pods of every other node, and its NAT rule, as the cluster's Nodes say.");
        root.Subcommands.Add(AgentCommand.Create());
        root.Subcommands.Add(PlanCommand.Create());
        root.Subcommands.Add(StatusCommand.Create());
        root.Subcommands.Add(AdoptCommand.Create());
        root.Subcommands.Add(CleanupCommand.Create());
        return root;
    }

    /// <summary>A command that takes the settings of <paramref name="usedBy"/>.</summary>
    public static Command Create(
        string name, string about, UsedBy usedBy, Func<AgentSettings, ParseResult, CancellationToken, Task<int>> run)
    {
        var command = new Command(name, about);
        SettingsOptions.AddTo(command, usedBy);
        command.SetAction((parsed, cancellationToken) => GuardAsync(async () =>
            await run(SettingsReader.Read(usedBy, parsed, EnvironmentVariables()), parsed, cancellationToken)));
        return command;
    }

    private static async Task<int> GuardAsync(Func<Task<int>> run)
    {
        try
        {
            return await run();
        }
        catch (SettingsException e)
        {
            foreach (string error in e.Errors)
                await Console.Error.WriteLineAsync(error);
            return ExitCodes.Usage;
        }
        catch (KubernetesConfigurationException e)
        {
            return await FailAsync(e.Message, ExitCodes.Usage);
        }
        catch (NetlinkException e) when (e.Errno is Errno.EPERM)
        {
            return await FailAsync($"{e.Message}: run as root, or with the capability NET_ADMIN", ExitCodes.NoRights);
        }
        catch (Exception e) when (e is HostNetworkException or KubernetesException or NodeStreamException or PlatformNotSupportedException)
        {
            return await FailAsync(e.Message, ExitCodes.Failed);
        }
    }

    private static async Task<int> FailAsync(string message, int exitCode)
    {
        await Console.Error.WriteLineAsync(message);
        return exitCode;
    }

    private static Dictionary<string, string> EnvironmentVariables() => Environment.GetEnvironmentVariables()
        .Cast<DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "");
}
