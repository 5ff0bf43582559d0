using System.Xml.Linq;

namespace HostGw.Chart.Tests;

/// <summary>What is written twice says the same twice.</summary>
public sealed class ManifestsTests
{
    [Fact]
    public void The_plain_manifests_are_what_the_chart_writes()
    {
        DirectoryInfo fresh = Directory.CreateTempSubdirectory("hostgw-manifests");
        try
        {
            Tool.Script("manifests.sh", fresh.FullName);
            string[] names = [.. fresh.EnumerateFiles("*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(fresh.FullName, f.FullName)).Order(StringComparer.Ordinal)];
            Assert.Equal(["cleanup.yaml", "digest/digest.yaml", "hostgw-windows.yaml", "hostgw.yaml"], names);
            Assert.All(names, n => Assert.True(
                File.ReadAllText(Path.Combine(fresh.FullName, n)) == File.ReadAllText(Tool.PathTo($"deploy/{n}")), $"deploy/{n} is not what the chart writes: make manifests"));
        }
        finally
        {
            fresh.Delete(recursive: true);
        }
    }

    [Fact]
    public void There_is_one_version()
    {
        string version = XDocument.Load(Tool.PathTo("Directory.Build.props")).Descendants("Version").Single().Value;
        var chart = Yaml.Documents(File.ReadAllText(Path.Combine(Chart.Folder, "Chart.yaml"))).Single()!;
        Assert.Equal((version, version), ((string)chart["version"]!, (string)chart["appVersion"]!));
        Assert.Equal($"localhost/hostgw:{version}", (string?)Chart.Container()["image"]);
    }
}
