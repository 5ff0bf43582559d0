using System.Text.RegularExpressions;

namespace HostGw.Lab.Tests.Image;

/// <summary>What a Linux image must and may hold, whatever its architecture.</summary>
internal static partial class ImageContents
{
    private const long MaxBytes = 50_000_000;

    private static readonly string[] Programs =
    [
        "bin", "etc/nsswitch.conf", "lib", "lib64", "sbin", "usr/bin/hostgw",
        .. from flavour in (string[])["legacy", "nft"]
           from program in (string[])[$"xtables-{flavour}-multi", .. Links(flavour)]
           select $"usr/sbin/{program}",
    ];

    private static readonly string[] Libraries =
    [
        "libc.so.6", "libcrypto.so.3", "libip4tc.so.2", "libip6tc.so.2", "libm.so.6", "libmnl.so.0", "libnetfilter_conntrack.so.3",
        "libnfnetlink.so.0", "libnftnl.so.11", "libssl.so.3", "libxtables.so.12", "libz.so.1", "libzstd.so.1",
    ];

    // iptables-save needs them to show the rules of kube-proxy, Docker and HostGw.
    private static readonly string[] Extensions =
    [
        "libxt_addrtype.so", "libxt_comment.so", "libxt_conntrack.so", "libxt_mark.so", "libxt_MARK.so", "libxt_MASQUERADE.so",
        "libxt_DNAT.so", "libxt_statistic.so", "libxt_recent.so", "libxt_set.so",
    ];

    /// <summary>hostgw, iptables and their libraries; no shell and nothing else, in at most 50 MB.</summary>
    public static void Check(BuiltImage image, string loader)
    {
        string[] files = [.. image.Files.Select(f => f[1..]).Where(f => !PackageNote().IsMatch(f))];
        Assert.Equal(Programs.Order(StringComparer.Ordinal), files.Where(f => !Library().IsMatch(f)).Order(StringComparer.Ordinal));

        ILookup<bool, string> libraries = files.Where(f => Library().IsMatch(f))
            .ToLookup(f => f.Contains("/xtables/", StringComparison.Ordinal), f => Path.GetFileName(f));
        Assert.Equal(Libraries.Append(loader).Order(StringComparer.Ordinal), libraries[false].Order(StringComparer.Ordinal));
        Assert.All(libraries[true], f => Assert.Matches(@"^lib(xt|ipt|ip6t)_\w+\.so$", f));
        Assert.Superset(Extensions.ToHashSet(), libraries[true].ToHashSet());

        Assert.InRange(image.Size, 1, MaxBytes);
    }

    /// <summary>The paths of the programs and of the libraries that they load.</summary>
    public static IEnumerable<string> LinkedFiles(BuiltImage image) =>
    [
        .. image.Files.Where(f => f.Contains(".so", StringComparison.Ordinal) && !f.Contains("/ld-linux", StringComparison.Ordinal)),
        "/usr/bin/hostgw", "/usr/sbin/xtables-nft-multi", "/usr/sbin/xtables-legacy-multi",
    ];

    private static IEnumerable<string> Links(string flavour) =>
        from family in (string[])["iptables", "ip6tables"]
        from action in (string[])["", "-save", "-restore"]
        select $"{family}-{flavour}{action}";

    // The Debian packages that the files come from, for scanners, and their licences.
    [GeneratedRegex(@"^(var/lib/dpkg/status\.d/[^/]+|usr/share/doc/[^/]+/copyright)$")]
    private static partial Regex PackageNote();

    [GeneratedRegex(@"^usr/lib(64)?/.*\.so(\.\d+)?$")]
    private static partial Regex Library();
}
