using System.Text;

namespace HostGw.Settings;

/// <summary>A row of <see cref="SettingsTable"/>. Its other names follow from the path: nat.randomFully is --nat-random-fully and HOSTGW_NAT_RANDOM_FULLY.</summary>
internal abstract class Setting(string path, Kind kind, string @default, UsedBy usedBy, string about)
{
    public string Path { get; } = path;

    public Kind Kind { get; } = kind;

    /// <summary>As one would write it; empty for none.</summary>
    public string Default { get; } = @default;

    /// <summary>Says what <see cref="Default"/> cannot: where it comes from, or what an empty one means.</summary>
    public string? DefaultAbout { get; init; }

    public UsedBy UsedBy { get; } = usedBy;

    /// <summary>One sentence without its full stop.</summary>
    public string About { get; } = about;

    public string Flag { get; } = "--" + Words(path, '-');

    public string Variable { get; } = EnvironmentSource.Prefix + Words(path, '_').ToUpperInvariant();

    /// <exception cref="BadValueException">The text is no value of this setting.</exception>
    public abstract AgentSettings Set(AgentSettings settings, string text);

    private static string Words(string path, char separator)
    {
        var words = new StringBuilder();
        foreach (char c in path)
        {
            if (char.IsAsciiLetterUpper(c))
                words.Append(separator);
            words.Append(c == '.' ? separator : char.ToLowerInvariant(c));
        }
        return words.ToString();
    }
}

/// <inheritdoc/>
internal sealed class Setting<T>(
    string path, Kind<T> kind, string @default, UsedBy usedBy, string about, Func<AgentSettings, T, AgentSettings> set)
    : Setting(path, kind, @default, usedBy, about)
{
    public override AgentSettings Set(AgentSettings settings, string text) => set(settings, kind.Parse(text));
}
