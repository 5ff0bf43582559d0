using System.Reflection;

namespace HostGw;

/// <summary>The version of this build: VERSION+COMMIT.</summary>
internal static class AgentVersion
{
    private const int CommitLength = 12;

    public static string Full { get; } = Shorten(
        typeof(AgentVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0");

    /// <summary>Without the commit.</summary>
    public static string Number => Full.Split('+')[0];

    private static string Shorten(string version) =>
        version.IndexOf('+') is >= 0 and int plus && version.Length > plus + 1 + CommitLength
            ? version[..(plus + 1 + CommitLength)]
            : version;
}
