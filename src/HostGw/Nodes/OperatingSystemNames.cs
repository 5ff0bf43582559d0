namespace HostGw.Nodes;

/// <summary>Nearly every node has one of two operating systems: their names are shared, and compared without regard to case.</summary>
internal static class OperatingSystemNames
{
    private const string Linux = "linux";
    private const string Windows = "windows";

    /// <summary>Lower case for the two that are known, linux for none, anything else as it is.</summary>
    public static ReadOnlySpan<char> Normal(ReadOnlySpan<char> name) =>
        name.IsEmpty || name.Equals(Linux, StringComparison.OrdinalIgnoreCase) ? Linux
        : name.Equals(Windows, StringComparison.OrdinalIgnoreCase) ? Windows
        : name;

    public static string Intern(ReadOnlySpan<char> normal) =>
        normal.SequenceEqual(Linux) ? Linux : normal.SequenceEqual(Windows) ? Windows : normal.ToString();
}
