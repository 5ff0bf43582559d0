using System.Collections.Immutable;

namespace HostGw.Settings;

/// <summary>The settings cannot be used. Every fault is one line, fit to be shown as it is.</summary>
internal sealed class SettingsException(IEnumerable<string> errors) : Exception("The settings cannot be used.")
{
    public ImmutableArray<string> Errors { get; } = [.. errors];
}
