using System.CommandLine;

namespace HostGw.Settings;

/// <summary>Flag over environment over file over default.</summary>
internal static class SettingsReader
{
    /// <summary>Values are checked if <paramref name="command"/> uses them, names always.</summary>
    /// <exception cref="SettingsException">With everything that is wrong.</exception>
    public static AgentSettings Read(
        UsedBy command, ParseResult flags, IReadOnlyDictionary<string, string> environment, string defaultFile = SettingsFile.DefaultPath)
    {
        List<string> errors = [];
        SettingValues values = SettingsFile.Read(flags, environment, defaultFile, errors);
        values.Override(EnvironmentSource.Read(environment, errors));
        values.Override(FlagSource.Read(flags));

        List<string> valueErrors = [];
        AgentSettings settings = Apply(command, values, valueErrors);
        // A refused value leaves its default behind, about which nobody wants to read.
        errors.AddRange(valueErrors.Count > 0 ? valueErrors : SettingsChecks.Check(settings, values));
        return errors.Count == 0 ? settings : throw new SettingsException(errors);
    }

    // Defaults first: what a row sets may then change the default of one below it (nat.source, nat.randomFully).
    private static AgentSettings Apply(UsedBy command, SettingValues values, List<string> errors)
    {
        var settings = new AgentSettings { Policy = new() { NodeName = "" }, Listen = new(IPAddress.Loopback, 0), ProcSysNet = "" };
        bool IsUsed(Setting setting) => (setting.UsedBy & command) != 0;
        bool IsGiven(Setting setting) => IsUsed(setting) && values.ContainsKey(setting.Path);

        foreach (Setting setting in SettingsTable.Rows.Where(s => !IsGiven(s)))
            settings = TrySet(settings, setting, new(setting.Default, $"default: {setting.DefaultAbout}"), IsUsed(setting) ? errors : []);
        foreach (Setting setting in SettingsTable.Rows.Where(IsGiven))
            settings = TrySet(settings, setting, values[setting.Path], errors);
        return settings;
    }

    private static AgentSettings TrySet(AgentSettings settings, Setting setting, SettingValue value, List<string> errors)
    {
        try
        {
            return setting.Set(settings, value.Text.Trim());
        }
        catch (BadValueException e)
        {
            errors.Add($"{setting.Path}: {e.Message} ({value.Where})");
            return settings;
        }
    }
}
