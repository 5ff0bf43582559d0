using System.Runtime.Versioning;
using HostGw.Platform.Cni;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Rtnetlink;
using static HostGw.Platform.Linux.Netlink.NetlinkFlags;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux;

/// <summary>Reads the host's facts that only `hostgw doctor` needs.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxFacts(ProcSysNet sysctl, CniOptions cni, string root = "/")
{
    /// <param name="interfaces">Their names.</param>
    public HostFacts Read(IReadOnlyList<string> interfaces) => new()
    {
        MayChangeNetwork = MayChangeNetwork(),
        ReversePathFilters = Effective("rp_filter", interfaces),
        ArpIgnore = Effective("arp_ignore", interfaces),
        NeighbourLimitIPv4 = sysctl.Read("ipv4/neigh/default/gc_thresh3"),
        NeighbourLimitIPv6 = sysctl.Read("ipv6/neigh/default/gc_thresh3"),
        Programs = Programs(),
        NetworkdRemovesRoutes = NetworkdRemovesRoutes(),
        Platform = Platform(),
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

    // The larger of the two values takes effect: https://docs.kernel.org/networking/ip-sysctl.html
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

    // As cloud-init's ds-identify tells them apart.
    private MachinePlatform Platform() => (Dmi("sys_vendor"), Dmi("product_name"), Dmi("chassis_asset_tag")) switch
    {
        ("Amazon EC2", _, _) => MachinePlatform.Aws,
        (_, _, "7783-7084-3265-9085-8269-3286-77") => MachinePlatform.Azure,
        ("Google", _, _) => MachinePlatform.GoogleCloud,
        (_, _, "OracleCloud.com") => MachinePlatform.OracleCloud,
        ("Hetzner", "vServer", _) => MachinePlatform.HetznerCloud,
        (_, "OpenStack Nova" or "OpenStack Compute", _) => MachinePlatform.OpenStack,
        ("Microsoft Corporation", "Virtual Machine", _) => MachinePlatform.HyperV,
        ("VMware, Inc.", _, _) => MachinePlatform.VMware,
        ("QEMU", _, _) => MachinePlatform.Qemu,
        _ => MachinePlatform.Unknown,
    };

    private string Dmi(string name) => Text(Path.Combine(root, "sys/class/dmi/id", name))?.Trim() ?? "";

    private bool NetworkdRemovesRoutes() =>
        File.Exists(Path.Combine(root, "run/systemd/netif/state")) && NetworkdConfiguration.RemovesForeignRoutes(NetworkdTexts());

    // In systemd's order: the main files, then the drop-ins by name, of which later ones override earlier ones.
    private IEnumerable<string> NetworkdTexts()
    {
        string[] folders = [.. ((string[])["usr/lib/systemd", "run/systemd", "etc/systemd"]).Select(f => Path.Combine(root, f))];
        IEnumerable<string> dropIns = folders.SelectMany(f => Files(Path.Combine(f, "networkd.conf.d")));
        return folders.Select(f => Path.Combine(f, "networkd.conf"))
            .Concat(dropIns.OrderBy(f => Path.GetFileName(f), StringComparer.Ordinal))
            .Select(Text).OfType<string>();
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
            return null; // there is no such file, or the process has ended
        }
    }
}

/// <summary>Tells from networkd.conf whether systemd-networkd removes routes of other programs. Pure.</summary>
/// <remarks>https://www.freedesktop.org/software/systemd/man/latest/networkd.conf.html</remarks>
internal static class NetworkdConfiguration
{
    /// <param name="texts">Its files in systemd's order: the last setting applies. The default is yes.</param>
    public static bool RemovesForeignRoutes(IEnumerable<string> texts)
    {
        bool removes = true;
        foreach (string line in texts.SelectMany(t => t.Split('\n')))
        {
            if (line.Split('=', 2) is [var name, var value] && name.Trim() == "ManageForeignRoutes")
                removes = value.Trim().ToLowerInvariant() is not ("no" or "false" or "off" or "0" or "n" or "f");
        }
        return removes;
    }
}

/// <summary>The capability NET_ADMIN, which every change of routes, rules and network settings needs.</summary>
[SupportedOSPlatform("linux")]
internal static class NetAdmin
{
    /// <summary>Asks the kernel: whether the capability applies depends on the user namespace that owns the network namespace.</summary>
    /// <exception cref="NetlinkException">EPERM: this process does not have it.</exception>
    public static void Require()
    {
        using var socket = new NetlinkSocket(NETLINK_ROUTE);
        var request = new NetlinkWriter();
        // A deletion without an address, which is always refused; but the kernel checks the capability first.
        request.Begin(RTM_DELNEIGH, NLM_F_REQUEST | NLM_F_ACK, socket.NextSequence());
        request.Write(new ndmsg { ndm_family = AF_INET });
        request.End();
        socket.Execute("change this host's network", request, (_, refusal) =>
        {
            if (refusal.Errno == Errno.EPERM)
                throw refusal;
        });
    }
}
