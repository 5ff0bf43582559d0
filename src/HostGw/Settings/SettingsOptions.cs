using System.CommandLine;

namespace HostGw.Settings;

/// <summary>The table as command-line options.</summary>
internal static class SettingsOptions
{
    public const string ConfigFlag = "--config";

    /// <summary>Adds --config and every setting that <paramref name="usedBy"/> takes.</summary>
    public static void AddTo(Command command, UsedBy usedBy)
    {
        command.Options.Add(new Option<string?>(ConfigFlag)
        {
            HelpName = "file",
            Description = $"File with settings (default: {SettingsFile.DefaultPath} if it exists); each flag is also a variable: HOSTGW_ and its name in capitals",
        });
        foreach (Setting setting in SettingsTable.Rows.Where(s => (s.UsedBy & usedBy) != 0))
            command.Options.Add(Option(setting));
    }

    // No AcceptOnlyFromAmong: a wrong choice is reported by SettingsReader, with its source and together with all other errors.
    private static Option<string?> Option(Setting setting)
    {
        var option = new Option<string?>(setting.Flag)
        {
            HelpName = setting.Kind.Placeholder,
            Description = Describe(setting),
            Arity = setting.Kind.IsSwitch ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
        };
        option.CompletionSources.Add([.. setting.Kind.Choices]);
        return option;
    }

    private static string Describe(Setting setting) => $"{setting.About} (default: {setting.DefaultAbout ?? setting.Default})";
}
