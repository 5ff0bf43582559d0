namespace HostGw.Chart.Tests;

/// <summary>A folder that is removed with its user.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("hostgw-chart-tests").FullName;

    public string PathTo(string path) => Path.Combine(Root, path);

    public string Write(string path, string text)
    {
        string file = PathTo(path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
        return file;
    }

    /// <summary>Takes files of the repository, or all below a folder of it, to the same place here.</summary>
    public void Copy(params string[] paths)
    {
        foreach (string path in paths.SelectMany(Files))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(PathTo(path))!);
            File.Copy(Tool.PathTo(path), PathTo(path));
        }
    }

    /// <summary>Changes what must be in a file there.</summary>
    public void Replace(string path, string old, string text)
    {
        string before = File.ReadAllText(PathTo(path));
        Assert.Contains(old, before, StringComparison.Ordinal);
        File.WriteAllText(PathTo(path), before.Replace(old, text, StringComparison.Ordinal));
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private static IEnumerable<string> Files(string path) => Directory.Exists(Tool.PathTo(path))
        ? Directory.EnumerateFiles(Tool.PathTo(path), "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Tool.Root, f))
        : [path];
}
