using System.Runtime.CompilerServices;

namespace HostGw.Tests.Architecture;

/// <summary>The sources from which these tests were built.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static string PathTo(string path) => Path.Combine(Root, path);

    /// <summary>Every source file of the product, by its path from src/HostGw with forward slashes.</summary>
    public static IEnumerable<(string Path, string Text)> Sources()
    {
        string folder = PathTo("src/HostGw");
        return Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
            .Select(file => (Path: System.IO.Path.GetRelativePath(folder, file).Replace('\\', '/'), File: file))
            .Where(f => !f.Path.StartsWith("obj/", StringComparison.Ordinal) && !f.Path.StartsWith("bin/", StringComparison.Ordinal))
            .Select(f => (f.Path, File.ReadAllText(f.File)));
    }

    // Above what runs, else above this file: a build may leave either out.
    private static string FindRoot([CallerFilePath] string thisFile = "") =>
        RootAbove(AppContext.BaseDirectory) ?? RootAbove(thisFile) ??
        throw new InvalidOperationException("these tests run where they were built, inside the repository");

    private static string? RootAbove(string path)
    {
        string? folder = Path.GetDirectoryName(path);
        while (folder is not null && !File.Exists(Path.Combine(folder, "HostGw.sln")))
            folder = Path.GetDirectoryName(folder);
        return folder;
    }
}
