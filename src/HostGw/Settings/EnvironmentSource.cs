using System.Text.RegularExpressions;

namespace HostGw.Settings;

/// <summary>Settings given as HOSTGW_* variables.</summary>
internal static partial class EnvironmentSource
{
    public const string Prefix = "HOSTGW_";

    public const string ConfigVariable = Prefix + "CONFIG";

    /// <summary>Adds an error for each variable that carries our prefix and is no setting.</summary>
    public static SettingValues Read(IReadOnlyDictionary<string, string> environment, List<string> errors)
    {
        SettingValues values = [];
        foreach ((string name, string text) in environment.OrderBy(v => v.Key, StringComparer.Ordinal))
        {
            if (!name.StartsWith(Prefix, StringComparison.Ordinal) || name == ConfigVariable)
                continue;
            if (SettingsTable.Rows.FirstOrDefault(s => s.Variable == name) is { } setting)
                values[setting.Path] = new(text, $"variable {name}");
            else if (!ServiceLink().IsMatch(name))
                errors.Add($"{Quoted.From(name)} is no setting; the nearest variable is {Nearest.To(name, Names)}");
        }
        return values;
    }

    private static IEnumerable<string> Names => SettingsTable.Rows.Select(s => s.Variable).Append(ConfigVariable);

    // What Kubernetes injects for Services named hostgw or hostgw-…; the exact forms, so that a misspelt HOSTGW_SERVICE_CIDRS is still noticed.
    // https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables
    [GeneratedRegex("^HOSTGW_([A-Z0-9_]+_)?(SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)|PORT(_[0-9]+_[A-Z]+(_(PROTO|PORT|ADDR))?)?)$")]
    private static partial Regex ServiceLink();
}
