using HostGw.Lab.Network;

namespace HostGw.Benchmarks.Whole;

/// <summary>A published agent.</summary>
internal sealed record Build(string Name, string Path)
{
    private const int Longest = 20; // VERSION+COMMIT, the commit cut

    private static readonly (string Name, string Below)[] Known = [("AOT", "artifacts/hostgw/hostgw"), ("ReadyToRun", "artifacts/hostgw-r2r/hostgw")];

    /// <summary>What it says of itself: it may be older than the sources.</summary>
    public string Version { get; } = Command.Run(Path, "--version").Trim() is var version && version.Length > Longest ? version[..Longest] : version;

    /// <summary>Those that were made.</summary>
    public static IReadOnlyList<Build> Find(string root) =>
        [.. Known.Where(known => File.Exists(System.IO.Path.Combine(root, known.Below))).Select(known => new Build(known.Name, System.IO.Path.Combine(root, known.Below)))];
}
