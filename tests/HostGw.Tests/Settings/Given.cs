using System.CommandLine;
using HostGw.Settings;

namespace HostGw.Tests.Settings;

/// <summary>Reads settings as the program would, from sources that a test states.</summary>
internal sealed record Given
{
    public string Flags { get; init; } = "";

    public Dictionary<string, string> Variables { get; init; } = [];

    /// <summary>Content of the default file; null: there is none.</summary>
    public string? File { get; init; }

    public UsedBy Command { get; init; } = UsedBy.Agent;

    public AgentSettings Read()
    {
        string folder = Directory.CreateTempSubdirectory("hostgw-settings-").FullName;
        try
        {
            string path = Path.Combine(folder, "config.yaml");
            if (File is not null)
                System.IO.File.WriteAllText(path, File);
            return SettingsReader.Read(Command, Parse(Flags, Command), Variables, path);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The errors, with the file's folder taken away.</summary>
    public string[] Errors()
    {
        SettingsException refused = Assert.Throws<SettingsException>(() => Read());
        return [.. refused.Errors.Select(e => System.Text.RegularExpressions.Regex.Replace(e, "/[^ ']*/config.yaml", "config.yaml"))];
    }

    public string Error() => Assert.Single(Errors());

    public static ParseResult Parse(string flags, UsedBy command)
    {
        ParseResult parsed = Root(command).Parse($"run {flags}");
        Assert.Empty(parsed.Errors);
        return parsed;
    }

    // A sibling with the same options, as in the real program.
    public static RootCommand Root(UsedBy usedBy)
    {
        Command run = new("run", "Runs"), sibling = new("sibling");
        FlagSource.AddOptions(run, usedBy);
        FlagSource.AddOptions(sibling, usedBy);
        return new RootCommand { run, sibling };
    }
}
