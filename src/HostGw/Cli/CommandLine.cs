using System.Collections;
using System.CommandLine;
using System.CommandLine.Invocation;
using HostGw.Hosting;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Platform;
using HostGw.Settings;
using Microsoft.Extensions.Logging;
using Serilog.Core;

namespace HostGw.Cli;

/// <summary>The command line: its commands, and what they share, namely settings, error messages and exit codes.</summary>
internal static class CommandLine
{
    /// <summary>Runs a command to its end and returns its exit code.</summary>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        // As programs with commands have it.
        ParseResult parsed = Build().Parse(args is ["help", .. var about] ? [.. about, "--help"] : args);
        // Without arguments there is only the help.
        if (args.Length > 0 && (parsed.Action is ParseErrorAction || UsageErrors.LacksCommand(parsed)))
        {
            foreach (string line in UsageErrors.Of(parsed))
                await error.WriteLineAsync(line);
            return ExitCodes.Usage;
        }
        int exitCode = await parsed.InvokeAsync(Invocation(parsed, output, error));
        return parsed.Errors.Count > 0 ? ExitCodes.Usage : exitCode;
    }

    public static RootCommand Build()
    {
        var root = new RootCommand(
            "Keeps this host's routes to the pods of all other nodes, and its NAT rule, as the cluster's Nodes require.");
        root.Subcommands.Add(AgentCommand.Create());
        root.Subcommands.Add(PlanCommand.Create());
        root.Subcommands.Add(StatusCommand.Create());
        root.Subcommands.Add(DoctorCommand.Create());
        root.Subcommands.Add(AdoptCommand.Create());
        root.Subcommands.Add(CleanupCommand.Create());
        root.Subcommands.Add(DigestCommand.Create());
        return root;
    }

    /// <summary>A command that takes the settings of <paramref name="usedBy"/>.</summary>
    public static Command Create(
        string name, string about, UsedBy usedBy, Func<AgentSettings, ParseResult, CancellationToken, Task<int>> run)
    {
        var command = new Command(name, about);
        FlagSource.AddOptions(command, usedBy);
        command.SetAction((parsed, cancellationToken) => GuardAsync(
            async () => await run(SettingsReader.Read(usedBy, parsed, EnvironmentVariables()), parsed, cancellationToken),
            parsed.InvocationConfiguration.Error));
        return command;
    }

    // On SIGTERM, System.CommandLine ends a command that is still running after 2 s. The agent must end its pass first, and the digest its
    // requests: the host's shutdown timeout and kubelet's grace period bound them.
    private static InvocationConfiguration Invocation(ParseResult parsed, TextWriter output, TextWriter error)
    {
        InvocationConfiguration invocation = new() { Output = output, Error = error };
        if (parsed.CommandResult.Command.Name is AgentCommand.Name or DigestCommand.Name)
            invocation.ProcessTerminationTimeout = Timeout.InfiniteTimeSpan;
        return invocation;
    }

    private static async Task<int> GuardAsync(Func<Task<int>> run, TextWriter error)
    {
        try
        {
            return await run();
        }
        catch (SettingsException e)
        {
            foreach (string line in e.Errors)
                await error.WriteLineAsync(line);
            return ExitCodes.Usage;
        }
        catch (ApiConfigurationException e)
        {
            await error.WriteLineAsync(e.Message);
            return ExitCodes.Usage;
        }
        catch (HostNetworkException e) when (HostPlatform.IsDenied(e))
        {
            await error.WriteLineAsync($"Could not {e.Message}. Run it {HostPlatform.Rights}");
            return ExitCodes.NoRights;
        }
        catch (HostNetworkException e)
        {
            await error.WriteLineAsync($"Could not {e.Message}");
            return ExitCodes.Failed;
        }
        catch (Exception e) when (e is ApiException or InvalidAnswerException or IOException or PlatformNotSupportedException)
        {
            await error.WriteLineAsync(e.Message);
            return ExitCodes.Failed;
        }
    }

    /// <summary>Reads log.level again whenever the settings file changes, from the flags and variables of the start.</summary>
    public static LogLevelReloader FollowLogLevel(
        UsedBy usedBy, ParseResult flags, LoggingLevelSwitch level, ILoggerFactory loggers) => new(
        SettingsFile.PathOf(flags, EnvironmentVariables()), () => SettingsReader.Read(usedBy, flags, EnvironmentVariables()).LogLevel,
        level, TimeProvider.System, loggers.CreateLogger<LogLevelReloader>());

    public static IReadOnlyDictionary<string, string> EnvironmentVariables() => Environment.GetEnvironmentVariables()
        .Cast<DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "");
}

/// <summary>The exit codes, which scripts may rely on.</summary>
internal static class ExitCodes
{
    public const int Done = 0;
    public const int Failed = 1;

    /// <summary>The command line or a setting is wrong.</summary>
    public const int Usage = 2;

    /// <summary>There is a finding or a difference.</summary>
    public const int Difference = 3;

    public const int NoRights = 4;
}

/// <summary>The option -o table|json.</summary>
internal static class OutputOption
{
    public const string Json = "json";

    public static Option<string> Create()
    {
        Option<string> option = new("--output", "-o") { Description = "Form of the result", DefaultValueFactory = _ => "table" };
        option.AcceptOnlyFromAmong("table", Json);
        return option;
    }
}
