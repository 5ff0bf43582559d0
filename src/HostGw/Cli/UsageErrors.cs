using System.CommandLine;
using System.CommandLine.Parsing;
using HostGw.Settings;

namespace HostGw.Cli;

/// <summary>What is wrong with a command line, in sentences, and where to read on: a page of help would push them off the screen.</summary>
internal static class UsageErrors
{
    public static IEnumerable<string> Of(ParseResult parsed)
    {
        string command = string.Join(' ', NamesOf(parsed.CommandResult));
        return Faults(parsed, command).Select(Quoted.Visible).Append($"`{command} --help` lists what there is.");
    }

    /// <summary>It names no command, but something else.</summary>
    public static bool LacksCommand(ParseResult parsed) =>
        parsed.CommandResult.Command is RootCommand && parsed.UnmatchedTokens.Count > 0;

    private static IEnumerable<string> Faults(ParseResult parsed, string command)
    {
        if (LacksCommand(parsed))
        {
            string commands = string.Join(", ", parsed.CommandResult.Command.Subcommands.Select(c => c.Name));
            return [$"'{parsed.UnmatchedTokens[0]}' is neither a command nor an option of {command}. Commands: {commands}"];
        }
        string[] options = [.. parsed.UnmatchedTokens.Where(t => t.StartsWith('-'))];
        return
        [
            // What follows an unknown option is its value.
            .. options.Length > 0 ? options.Select(o => Unknown(o.Split('=')[0], parsed.CommandResult.Command, command))
                : parsed.UnmatchedTokens.Select(t => $"{command} takes options only, and no '{t}'"),
            .. parsed.Errors.Where(e => parsed.UnmatchedTokens.Count == 0 || e.SymbolResult is not CommandResult).Select(InOneLine),
        ];
    }

    private static string Unknown(string option, Command command, string name)
    {
        string[] known = [.. command.Options.SelectMany(o => o.Aliases.Prepend(o.Name))];
        return known.Contains(option)
            ? $"'{option}' must come after the command: {name} {option}"
            : $"'{option}' is no option of {name}; the nearest is {Nearest.To(option, known)}";
    }

    private static string InOneLine(ParseError error) =>
        string.Join(' ', error.Message.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static IEnumerable<string> NamesOf(CommandResult command) =>
        command.Parent is CommandResult parent ? NamesOf(parent).Append(command.Command.Name) : ["hostgw"];
}
