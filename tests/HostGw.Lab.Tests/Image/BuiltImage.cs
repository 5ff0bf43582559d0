using System.Text.Json.Nodes;

namespace HostGw.Lab.Tests.Image;

/// <summary>What tests/tools/image.sh built, outside of the box.</summary>
/// <param name="System">linux or windows.</param>
/// <param name="Folder">Where the script put it, below artifacts.</param>
internal sealed record BuiltImage(string System, string Folder = "image")
{
    public static BuiltImage Linux { get; } = new("linux");

    public static BuiltImage LinuxArm64 { get; } = new("linux", "image-arm64");

    public static BuiltImage Windows { get; } = new("windows");

    public static string Repository { get; } = FindRepository();

    /// <summary>Where its files are.</summary>
    public string Root => Made(System);

    /// <summary>What buildah says of it.</summary>
    public JsonNode Description => JsonNode.Parse(File.ReadAllText(Made($"{System}.json")))!;

    public JsonNode Config => Description["OCIv1"]!["config"]!;

    /// <summary>Path in the image of all that is no directory.</summary>
    public IEnumerable<string> Files => Below(new(Root)).Select(path => path[Root.Length..]);

    /// <summary>In bytes, links not counted.</summary>
    public long Size => Files.Select(path => new FileInfo(Root + path)).Where(file => file.LinkTarget is null).Sum(file => file.Length);

    /// <exception cref="FileNotFoundException">It was not built.</exception>
    public string Made(string name)
    {
        string path = Path.Combine(Repository, "artifacts", Folder, name);
        return Path.Exists(path) ? path : throw new FileNotFoundException($"{path} does not exist: run tests/tools/image.sh, outside of the box");
    }

    // A link to a folder is what it is.
    private static IEnumerable<string> Below(DirectoryInfo folder) => folder.EnumerateFileSystemInfos().SelectMany(
        entry => entry is DirectoryInfo { LinkTarget: null } inner ? Below(inner) : [entry.FullName]);

    private static string FindRepository()
    {
        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "HostGw.sln")))
            root = root.Parent;
        return root?.FullName ?? throw new InvalidOperationException("these tests run where they were built, inside the repository");
    }
}
