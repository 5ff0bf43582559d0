namespace HostGw.Benchmarks;

/// <summary>The sources that this was built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "HostGw.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException("the benchmarks run where they were built, inside the repository");
    }
}
