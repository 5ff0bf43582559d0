using HostGw.Tests.Architecture;

namespace HostGw.Tests.Fuzzing;

/// <summary>Files that inputs are made from.</summary>
internal static class Corpus
{
    /// <summary>The files of a folder below Fuzzing/Corpus, in the order of their names.</summary>
    public static IReadOnlyList<byte[]> Of(string folder) => Files($"tests/HostGw.Tests/Fuzzing/Corpus/{folder}");

    /// <param name="folder">From the root of the repository.</param>
    public static IReadOnlyList<byte[]> Files(string folder, string pattern = "*") =>
        [.. Directory.EnumerateFiles(Repository.PathTo(folder), pattern).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];
}
