namespace HostGw.Benchmarks.Whole;

/// <summary>A published agent.</summary>
internal sealed record Build(string Name, string Path)
{
    private static readonly (string Name, string Below)[] Known = [("ReadyToRun", "artifacts/hostgw/hostgw"), ("AOT", "artifacts/hostgw-aot/hostgw")];

    /// <summary>Those that were made.</summary>
    public static IReadOnlyList<Build> Find(string root) =>
        [.. Known.Select(known => new Build(known.Name, System.IO.Path.Combine(root, known.Below))).Where(build => File.Exists(build.Path))];
}
