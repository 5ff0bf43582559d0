using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using HostGw.Lab.Network;

namespace HostGw.Lab.Tests.Image;

/// <summary>What is in the images, and nothing more.</summary>
public sealed partial class ImageFilesTests
{
    [Fact]
    public void There_is_the_program_iptables_and_their_libraries_no_shell_and_at_most_50_MB() =>
        ImageContents.Check(BuiltImage.Linux, "ld-linux-x86-64.so.2");

    [Fact]
    public void Every_library_that_is_asked_for_is_there() => Assert.All(
        ImageContents.LinkedFiles(BuiltImage.Linux),
        f => Assert.DoesNotContain(
            "not found", Command.Run("chroot", BuiltImage.Linux.Root, "/lib64/ld-linux-x86-64.so.2", "--list", f), StringComparison.Ordinal));

    // Scanners know by them which fixes of Debian the image has.
    [Fact]
    public void The_packages_of_its_files_are_named_with_their_versions_and_licences()
    {
        string[] packages = [.. BuiltImage.Linux.Files.Where(f => f.StartsWith("/var/lib/dpkg/status.d/", StringComparison.Ordinal)).Select(f => Path.GetFileName(f))];
        Assert.Superset(new HashSet<string> { "iptables", "libc6", "libssl3t64", "zlib1g" }, packages.ToHashSet());
        Assert.All(packages, p =>
        {
            string text = File.ReadAllText($"{BuiltImage.Linux.Root}/var/lib/dpkg/status.d/{p}");
            Assert.StartsWith($"Package: {p}\nStatus: install ok installed\n", text, StringComparison.Ordinal);
            Assert.Matches(@"(?m)^Version: \d", text);
            Assert.Contains("\nArchitecture: amd64\n", text, StringComparison.Ordinal);
            Assert.True(File.Exists($"{BuiltImage.Linux.Root}/usr/share/doc/{p}/copyright"));
        });
    }

    [Fact]
    public void Nothing_is_setuid_or_can_be_written_by_others() => Assert.All(
        BuiltImage.Linux.Files.Select(f => new FileInfo(BuiltImage.Linux.Root + f)).Where(f => f.LinkTarget is null),
        f => Assert.Equal(default, f.UnixFileMode & (UnixFileMode.SetUser | UnixFileMode.SetGroup | UnixFileMode.OtherWrite | UnixFileMode.GroupWrite)));

    [Fact]
    public void Building_it_twice_makes_the_same()
    {
        string[] digests = File.ReadAllLines(BuiltImage.Linux.Made("digests"));
        Assert.StartsWith("sha256:", digests[0], StringComparison.Ordinal);
        Assert.Equal(digests[0], digests[1]);
    }

    [Fact]
    public void Windows_has_the_published_folder_and_nothing_else() => Assert.Equal(["/hostgw.dll", "/hostgw.exe"], BuiltImage.Windows.Files);

    [Theory]
    [InlineData("linux", "hostgw", "/usr/bin:/usr/sbin")]
    [InlineData("windows", "hostgw.exe", @"C:\hpc;C:\Windows\system32;C:\Windows")]
    public void The_program_is_what_starts_and_the_labels_say_which(string system, string program, string path)
    {
        JsonNode config = new BuiltImage(system).Config;
        Assert.Equal([program], config["Entrypoint"]!.AsArray().Select(e => (string)e!));
        Assert.Null(config["Cmd"]);
        Assert.Contains($"PATH={path}", config["Env"]!.AsArray().Select(e => (string)e!));

        string version = Version().Match(File.ReadAllText(Path.Combine(BuiltImage.Repository, "Directory.Build.props"))).Groups[1].Value;
        Assert.Equal(version, (string?)config["Labels"]!["org.opencontainers.image.version"]);
        Assert.Equal("0123abc", (string?)config["Labels"]!["org.opencontainers.image.revision"]);
    }

    [GeneratedRegex("<Version>(.*)</Version>")]
    private static partial Regex Version();
}
