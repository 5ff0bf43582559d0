using System.Text.RegularExpressions;
using HostGw.Tests.Architecture;

namespace HostGw.Tests.Platform.Windows;

public partial class ImportTests
{
    private const string Folder = "Platform/Windows/Interop/";

    [Fact]
    public void Whatever_is_imported_is_called()
    {
        (string Path, string Text)[] sources = [.. Repository.Sources()];
        string callers = string.Concat(sources.Where(s => !s.Path.StartsWith(Folder, StringComparison.Ordinal)).Select(s => s.Text));
        string[] imported = [.. sources.Where(s => s.Path.StartsWith(Folder, StringComparison.Ordinal)).SelectMany(s => Import().Matches(s.Text)).Select(m => m.Groups[1].Value)];
        Assert.NotEmpty(imported);
        Assert.DoesNotContain(imported, name => !Regex.IsMatch(callers, $@"\b{name}\b"));
    }

    [GeneratedRegex(@"static partial \w+ (\w+)\(")]
    private static partial Regex Import();
}
