using System.Runtime.Versioning;
using HostGw.Platform.Cni;
using HostGw.Platform.Linux.Netlink;

namespace HostGw.Platform.Linux;

/// <summary>Reads what no pass needs.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxFacts(ProcSysNet sysctl, CniOptions cni, string root = "/")
{
    /// <param name="interfaces">The names of those that matter.</param>
    public HostFacts Read(IReadOnlyList<string> interfaces) => new()
    {
        MayChangeNetwork = MayChangeNetwork(),
        ReversePathFilters = Effective("rp_filter", interfaces),
        ArpIgnore = Effective("arp_ignore", interfaces),
        NeighbourLimitIPv4 = sysctl.Read("ipv4/neigh/default/gc_thresh3"),
        NeighbourLimitIPv6 = sysctl.Read("ipv6/neigh/default/gc_thresh3"),
        Programs = Programs(),
        NetworkdRemovesRoutes = File.Exists(Path.Combine(root, "run/systemd/netif/state")) && NetworkdConfiguration.RemovesForeignRoutes(NetworkdTexts()),
        MissingCniPlugins = [.. Conflist.Plugins.Where(p => !File.Exists(Path.Combine(cni.BinDirectory, p)))],
    };

    private static bool MayChangeNetwork()
    {
        try
        {
            NetAdmin.Require();
            return true;
        }
        catch (NetlinkException e) when (e.Errno == Errno.EPERM)
        {
            return false;
        }
    }

    // Of both the larger value counts: https://docs.kernel.org/networking/ip-sysctl.html
    private Dictionary<string, int> Effective(string setting, IReadOnlyList<string> interfaces)
    {
        int all = sysctl.Read($"ipv4/conf/all/{setting}") ?? 0;
        return interfaces.ToDictionary(name => name, name => Math.Max(all, sysctl.Read($"ipv4/conf/{name}/{setting}") ?? 0));
    }

    private HashSet<string> Programs()
    {
        HashSet<string> names = [];
        foreach (string process in Folders(Path.Combine(root, "proc")).Where(p => char.IsAsciiDigit(Path.GetFileName(p)[0])))
        {
            if (Text(Path.Combine(process, "comm")) is { } name)
                names.Add(name.Trim());
        }
        return names;
    }

    // As systemd reads them: the file first, then the pieces by name, of which the later ones win.
    private IEnumerable<string> NetworkdTexts()
    {
        string[] places = ["usr/lib/systemd", "run/systemd", "etc/systemd"];
        IEnumerable<string> pieces = places.SelectMany(p => Files(Path.Combine(root, p, "networkd.conf.d"))).OrderBy(f => Path.GetFileName(f), StringComparer.Ordinal);
        return places.Select(p => Path.Combine(root, p, "networkd.conf")).Concat(pieces).Select(Text).OfType<string>();
    }

    private static string[] Files(string folder) => Directory.Exists(folder) ? Directory.GetFiles(folder, "*.conf") : [];

    private static string[] Folders(string folder) => Directory.Exists(folder) ? Directory.GetDirectories(folder) : [];

    private static string? Text(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // not there, or a process that ended
        }
    }
}
