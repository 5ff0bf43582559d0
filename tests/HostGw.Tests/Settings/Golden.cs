namespace HostGw.Tests.Settings;

/// <summary>Files that are generated and kept: UPDATE_GOLDEN=1 renews them.</summary>
internal static class Golden
{
    /// <param name="path">From the root of the repository.</param>
    public static void Equal(string path, string actual)
    {
        string file = Path.Combine(Root(), path);
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, actual);
        }
        string expected = File.Exists(file) ? File.ReadAllText(file) : "";
        Assert.True(expected == actual, $"{path} is not what the code says; UPDATE_GOLDEN=1 renews it. It should be:\n{actual}");
    }

    private static string Root()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "HostGw.sln")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("these tests run inside the repository");
    }
}
