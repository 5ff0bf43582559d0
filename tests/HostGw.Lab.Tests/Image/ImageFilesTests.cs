using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using HostGw.Lab.Network;

namespace HostGw.Lab.Tests.Image;

/// <summary>What is in the images, and nothing more.</summary>
public sealed partial class ImageFilesTests
{
    private const long MostBytes = 90_000_000;

    private static readonly string[] Expected =
    [
        "bin", "etc/nsswitch.conf", "lib", "lib64", "sbin", "usr/bin/hostgw",
        .. from flavour in (string[])["legacy", "nft"]
           from program in (string[])[$"xtables-{flavour}-multi", .. Programs(flavour)]
           select $"usr/sbin/{program}",
    ];

    private static readonly string[] Libraries =
    [
        "ld-linux-x86-64.so.2", "libc.so.6", "libcrypto.so.3", "libdl.so.2", "libgcc_s.so.1", "libip4tc.so.2", "libip6tc.so.2", "libm.so.6", "libmnl.so.0",
        "libnetfilter_conntrack.so.3", "libnfnetlink.so.0", "libnftnl.so.11", "libpthread.so.0", "librt.so.1", "libssl.so.3", "libstdc++.so.6",
        "libxtables.so.12", "libz.so.1", "libzstd.so.1",
    ];

    [Fact]
    public void There_is_the_program_iptables_and_their_libraries_and_no_shell()
    {
        string[] files = [.. BuiltImage.Linux.Files.Select(f => f[1..]).Where(f => !Notes().IsMatch(f))];
        Assert.Equal(Expected.Order(StringComparer.Ordinal), files.Where(f => !Library().IsMatch(f)).Order(StringComparer.Ordinal));

        ILookup<bool, string> libraries = files.Where(f => Library().IsMatch(f)).ToLookup(f => f.Contains("/xtables/", StringComparison.Ordinal), f => Path.GetFileName(f));
        Assert.Equal(Libraries, libraries[false].Order(StringComparer.Ordinal));
        Assert.All(libraries[true], f => Assert.Matches(@"^lib(xt|ipt|ip6t)_\w+\.so$", f));
        // kube-proxy's, Docker's and our own rules, which iptables-save cannot show without.
        Assert.Superset(
            new HashSet<string> { "libxt_addrtype.so", "libxt_comment.so", "libxt_conntrack.so", "libxt_mark.so", "libxt_MARK.so", "libxt_MASQUERADE.so", "libxt_DNAT.so", "libxt_statistic.so", "libxt_recent.so", "libxt_set.so" },
            libraries[true].ToHashSet());
    }

    [Fact]
    public void Every_library_that_is_asked_for_is_there()
    {
        string root = BuiltImage.Linux.Root;
        string[] loaded = [.. BuiltImage.Linux.Files.Where(f => f.Contains(".so", StringComparison.Ordinal) && !f.Contains("/ld-linux", StringComparison.Ordinal)),
            "/usr/bin/hostgw", "/usr/sbin/xtables-nft-multi", "/usr/sbin/xtables-legacy-multi"];
        Assert.All(loaded, f => Assert.DoesNotContain("not found", Command.Run("chroot", root, "/lib64/ld-linux-x86-64.so.2", "--list", f), StringComparison.Ordinal));
    }

    [Fact]
    public void It_is_small() => Assert.InRange(BuiltImage.Linux.Size, 1, MostBytes);

    [Fact]
    public void Nothing_is_setuid_or_can_be_written_by_others() => Assert.All(
        BuiltImage.Linux.Files.Select(f => new FileInfo(BuiltImage.Linux.Root + f)).Where(f => f.LinkTarget is null),
        f => Assert.Equal(default, f.UnixFileMode & (UnixFileMode.SetUser | UnixFileMode.SetGroup | UnixFileMode.OtherWrite | UnixFileMode.GroupWrite)));

    [Fact]
    public void Building_it_twice_makes_the_same()
    {
        string[] digests = File.ReadAllLines(BuiltImage.Made("digests"));
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

    private static IEnumerable<string> Programs(string flavour) =>
        from family in (string[])["iptables", "ip6tables"]
        from action in (string[])["", "-save", "-restore"]
        select $"{family}-{flavour}{action}";

    // Which packages the files are of, for scanners, and their licences.
    [GeneratedRegex(@"^(var/lib/dpkg/status\.d/[^/]+|usr/share/doc/[^/]+/copyright)$")]
    private static partial Regex Notes();

    [GeneratedRegex(@"^usr/lib(64)?/.*\.so(\.\d+)?$")]
    private static partial Regex Library();

    [GeneratedRegex("<Version>(.*)</Version>")]
    private static partial Regex Version();
}
