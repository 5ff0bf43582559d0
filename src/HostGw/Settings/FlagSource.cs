using System.CommandLine;
using System.CommandLine.Parsing;

namespace HostGw.Settings;

/// <summary>Settings given on the command line.</summary>
internal static class FlagSource
{
    public static SettingValues Read(ParseResult flags)
    {
        SettingValues values = [];
        foreach (Setting setting in SettingsTable.Rows)
        {
            if (Text(flags, setting.Flag) is { } text)
                values[setting.Path] = new(text, $"flag {setting.Flag}");
        }
        return values;
    }

    /// <summary>Null when the flag was not given; "true" for one without a value.</summary>
    public static string? Text(ParseResult flags, string name)
    {
        OptionResult? given = flags.CommandResult.Children.OfType<OptionResult>().FirstOrDefault(o => o.Option.Name == name && !o.Implicit);
        return given is null ? null : given.Tokens is [var value, ..] ? value.Value : "true";
    }
}
