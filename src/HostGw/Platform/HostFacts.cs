using HostGw.Planning;

namespace HostGw.Platform;

/// <summary>What only `hostgw doctor` reads of a host. What cannot be read is left out.</summary>
internal sealed record HostFacts
{
    /// <summary>This process may change the host's network.</summary>
    public bool MayChangeNetwork { get; init; } = true;

    /// <summary>How to run it so that it may.</summary>
    public string Rights { get; init; } = "as root in the host's network, or give it the capability NET_ADMIN";

    /// <summary>rp_filter as it takes effect, by interface: 1 drops what came in by another way than the answer would go.</summary>
    public IReadOnlyDictionary<string, int> ReversePathFilters { get; init; } = new Dictionary<string, int>();

    /// <summary>arp_ignore as it takes effect, by interface: from 1 on, addresses of other interfaces are not answered for.</summary>
    public IReadOnlyDictionary<string, int> ArpIgnore { get; init; } = new Dictionary<string, int>();

    /// <summary>Most neighbours (gc_thresh3).</summary>
    public int? NeighbourLimitIPv4 { get; init; }

    /// <inheritdoc cref="NeighbourLimitIPv4"/>
    public int? NeighbourLimitIPv6 { get; init; }

    /// <summary>Names of running programs; in a container, those of the container.</summary>
    public IReadOnlySet<string> Programs { get; init; } = new HashSet<string>();

    /// <summary>systemd-networkd runs and removes, when it restarts, routes that it has not made.</summary>
    public bool NetworkdRemovesRoutes { get; init; }

    /// <summary>CNI plugins of our configuration that are not installed.</summary>
    public IReadOnlyList<string> MissingCniPlugins { get; init; } = [];

    /// <summary>Whose network is between the nodes, as far as the machine's firmware tells.</summary>
    public MachinePlatform Platform { get; init; }
}

/// <summary>How many neighbours the kernel keeps in one family (gc_thresh1 to gc_thresh3).</summary>
/// <param name="Family">ipv4 or ipv6.</param>
internal readonly record struct NeighbourThresholds(string Family, int First, int Second, int Third)
{
    /// <summary>As sysctl takes them.</summary>
    public IEnumerable<string> Settings
    {
        get
        {
            string all = $"net.{Family}.neigh.default.gc_thresh";
            return [$"{all}1={First}", $"{all}2={Second}", $"{all}3={Third}"];
        }
    }

    public static NeighbourThresholds Default(string family) => new(family, 128, 512, 1024);
}

/// <summary>What the machine is a part of.</summary>
internal enum MachinePlatform
{
    Unknown,
    Aws,
    Azure,
    GoogleCloud,
    OracleCloud,
    HetznerCloud,
    OpenStack,
    HyperV,
    VMware,

    /// <summary>A virtual machine of QEMU: libvirt, Proxmox VE.</summary>
    Qemu,
}

/// <summary>Which datagrams between probe addresses a peer's agent has answered.</summary>
/// <param name="Interface">Towards the peer.</param>
/// <param name="Mtu">Of that interface, and the size of the long datagram with its headers.</param>
internal readonly record struct SizeAnswer(ClusterNode Node, Prefix PodCidr, string Interface, int Mtu, bool Short, bool Long);

/// <summary>What this host knows of an address on its segment.</summary>
/// <param name="Mac">Who answered for it, such as 02:00:00:00:00:01; empty where nobody has.</param>
internal sealed record NeighbourEntry(Ip Address, int Interface, string Mac)
{
    /// <summary>Asked for, and nobody answered.</summary>
    public bool IsUnanswered { get; init; }

    /// <summary>Written by somebody, and never asked for.</summary>
    public bool IsFixed { get; init; }
}
