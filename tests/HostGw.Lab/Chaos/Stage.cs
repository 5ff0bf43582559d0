using System.Collections.Immutable;
using HostGw.FakeApi;
using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Chaos;

/// <summary>How a node's route to a peer's pods goes: by the peer's address, through the tunnel, or there is none of ours.</summary>
internal enum Way { Native, Tunnel, None }

/// <summary>
/// The cluster on which faults happen: three machines with pods, and nodes that only the API knows. With the tunnel there is a fourth,
/// behind routers that know no pod network.
/// </summary>
internal sealed class Stage : IAsyncDisposable
{
    /// <summary>A node without a machine that is always there: its routes are what somebody on a host tampers with.</summary>
    public const string Ghost = "ghost";

    public const int GhostNumber = 100;

    private const string OurProtocol = "157";

    // Nothing on the lab's nodes reserves the gateway address of the podCIDR, which is the usual source.
    private const int SourceIndex = 254;

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(90), PingPatience = TimeSpan.FromMilliseconds(500);
    private static readonly ImmutableArray<string> Nftables = ["--nat-backend", "nftables"];

    private Dictionary<string, NodeSpec> _ghosts = [];

    private Stage(Cluster cluster, bool isTunnelled, bool isLong, int seed)
    {
        (Cluster, IsTunnelled, IsLong, Seed, Random) = (cluster, isTunnelled, isLong, seed, new(seed));
        WayOf = Usual;
    }

    public Cluster Cluster { get; }

    /// <summary>Whether agents may use the tunnel, and must for the node on the second segment.</summary>
    public bool IsTunnelled { get; }

    /// <summary>Whether faults last long and happen often, as for the table; short is for `make test`.</summary>
    public bool IsLong { get; }

    public int Seed { get; }

    public Random Random { get; }

    public FakeApiServer Api => Cluster.Api.Server;

    public Node One => Cluster.Node(1);

    public Agent First => Cluster.Agent(One);

    /// <summary>What node 1 calls its link to the others at the moment.</summary>
    public string LinkOfOne { get; set; } = "eth0";

    /// <summary>How node 1 is reached at the moment.</summary>
    public IReadOnlyList<IPAddress> AddressesOfOne { get; set; } = Addressing.Node(1);

    /// <summary>How long a fault lasts.</summary>
    public TimeSpan Lasting => IsLong ? TimeSpan.FromSeconds(5) : TimeSpan.FromSeconds(0.2);

    /// <summary>What a fault found worth noting.</summary>
    public string Note { get; set; } = "";

    /// <summary>What else a host lacks that a fault took; null: nothing.</summary>
    public Func<string?> HostDifference { get; set; } = () => null;

    /// <summary>How the routes between two machines should go at the moment.</summary>
    public Func<Node, Node, Way> WayOf { get; set; }

    public static async Task<Stage> BuildAsync(bool isTunnelled, bool isLong, int seed)
    {
        Cluster cluster = await Cluster.CreateAsync(new()
        {
            Nodes = isTunnelled ? 4 : 3,
            FirstOnSecondSegment = isTunnelled ? 4 : 0,
            WindowsNode = 0,
            CredentialFiles = true,
            Agents = isTunnelled
                ? Tunnelling(isLong)
                : new("NodeAddress", Addressing.ClusterCidrs, Nftables) { ResyncSeconds = Resync(isLong) },
        });
        Stage stage = new(cluster, isTunnelled, isLong, seed);
        try
        {
            stage.PrepareMachines();
            stage.Announce(Ghost, GhostNumber);
            await cluster.StartAgentsAsync();
            await stage.SettleAsync();
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
        return stage;
    }

    /// <summary>Puts a node without a machine into the API, or gives it another podCIDR.</summary>
    public void Announce(string name, int number) => Announce(new NodeSpec(name)
    {
        PodCidrs = [$"192.168.{number}.0/24", $"fd00:192:168:{number}::/64"],
        InternalIPs = [$"10.0.0.{number}", $"fd00:10::{number}"],
    });

    public void Announce(NodeSpec ghost)
    {
        _ghosts[ghost.Name] = ghost;
        Api.Nodes.Put(ghost);
    }

    public void Withdraw(string name)
    {
        _ghosts.Remove(name);
        Api.Nodes.Delete(name);
    }

    /// <summary>Returns what sets the API's store back to what it holds now.</summary>
    public Action Backup()
    {
        StoreSnapshot store = Api.TakeSnapshot();
        Dictionary<string, NodeSpec> ghosts = new(_ghosts);
        return () =>
        {
            Api.Restore(store);
            _ghosts = ghosts;
        };
    }

    /// <summary>Native on one segment, through the tunnel between two.</summary>
    public Way Usual(Node node, Node peer) => node.Segment == peer.Segment ? Way.Native : Way.Tunnel;

    /// <summary>How agents run here; where it is long, with the default pace of probes.</summary>
    /// <param name="nativeAfterSeconds">The least that is allowed by default: faults wait for the way back to native.</param>
    public static AgentSettings Tunnelling(bool isLong, int nativeAfterSeconds = 10) => new(
        "NodeAddress", Addressing.ClusterCidrs, [.. Nftables, "--tunnel-mode", "auto", "--tunnel-source", $"{SourceIndex}"])
    {
        ResyncSeconds = Resync(isLong),
        AgentOnly = ["--probe-interval-seconds", isLong ? "10" : "1", "--tunnel-native-after-seconds", $"{nativeAfterSeconds}"],
    };

    /// <summary>From each machine's pod to the next one's, in both families.</summary>
    public IReadOnlyList<(NetworkNamespace From, IPAddress To)> Paths() =>
    [
        .. from i in Enumerable.Range(0, Cluster.Nodes.Count)
           from address in Cluster.Nodes[(i + 1) % Cluster.Nodes.Count].Pods[0].Addresses
           select (Cluster.Nodes[i].Pods[0].Network, address),
    ];

    /// <summary>1: strict, 2: loose.</summary>
    public void SetReversePathFilter(int value)
    {
        foreach (Node node in Cluster.Nodes)
        {
            foreach (string name in (string[])["all", "default", "eth0", "cni0", "pod1"])
                node.Network.Sysctl($"ipv4/conf/{name}/rp_filter", $"{value}");
        }
    }

    /// <summary>Waits until pings arrive on every path.</summary>
    public async Task ArriveAsync()
    {
        foreach ((NetworkNamespace from, IPAddress to) in Paths())
        {
            await Eventually.TrueAsync(
                () => Ping.Once(from, to, PingPatience) is not null, () => $"{from.Name} -> {to}: no answer", Deadline);
        }
    }

    /// <summary>Waits until every node has exactly the routes that the API's nodes ask for, and returns how long that took.</summary>
    public Task<TimeSpan> SettleAsync() => Eventually.TrueAsync(() => Difference() is null, () => Difference() ?? "", Deadline);

    /// <summary>Somebody on node 1 removes the routes to the ghost.</summary>
    public void TamperWithOne() => One.Network.Configure([.. _ghosts[Ghost].PodCidrs.Select(cidr => $"route delete {cidr}")]);

    /// <summary>What `hostgw plan` would change: the state as it is computed again. Null: nothing.</summary>
    public string? Fresh()
    {
        foreach (Agent agent in Cluster.Agents)
        {
            try
            {
                agent.RunWithSettings("plan", "--exit-code");
            }
            catch (InvalidOperationException e)
            {
                return $"hostgw plan on {agent.Node} would change something: {e.Message}";
            }
        }
        return null;
    }

    /// <summary>Waits, where there is a tunnel, until `hostgw plan` would change nothing.</summary>
    public Task FreshAsync()
    {
        string? change = null;
        // Routes by which two ways are compared go with the pass that the probes' decision wakes.
        return Eventually.TrueAsync(() => (change = Fresh()) is null, () => change!, IsTunnelled ? Deadline : TimeSpan.Zero);
    }

    public async ValueTask DisposeAsync()
    {
        string state = First.StateDirectory;
        await Cluster.DisposeAsync();
        Command.Run("umount", state);
    }

    private void PrepareMachines()
    {
        foreach (Node node in Cluster.Nodes)
        {
            // As a machine's own network configuration would do it.
            node.Network.Sysctl("ipv6/conf/eth0/keep_addr_on_down", "1");
            node.Network.Sysctl("ipv4/conf/all/promote_secondaries", "1");
        }
        // As systemd does it: while two nodes change to another way, packets may come by the former.
        if (IsTunnelled)
            SetReversePathFilter(2);
        // Small enough to be filled.
        string state = First.StateDirectory;
        Directory.CreateDirectory(state);
        Command.Run("mount", "-t", "tmpfs", "-o", "size=64k", "state", state);
    }

    private string? Difference()
    {
        if (HostDifference() is { } host)
            return host;
        foreach (Node node in Cluster.Nodes)
        {
            string[] expected = [.. Expected(node).Order(StringComparer.Ordinal)];
            string[] found = [.. Found(node).Order(StringComparer.Ordinal)];
            if (!expected.SequenceEqual(found))
                return $"{node.Name} lacks [{string.Join(", ", expected.Except(found))}] and should not have [{string.Join(", ", found.Except(expected))}]";
        }
        return null;
    }

    // Computed without the agent: of nodes that claim the same prefix the older one has it.
    private IEnumerable<string> Expected(Node node)
    {
        string link = node == One ? LinkOfOne : "eth0";
        foreach (Node peer in Cluster.Nodes.Where(n => n != node))
        {
            IReadOnlyList<IPAddress> addresses = peer == One ? AddressesOfOne : peer.Addresses;
            foreach (string route in WayOf(node, peer) switch
            {
                Way.Native =>
                    [V4($"{peer.PodCidrs[0]}", $"{addresses[0]}", link), V6($"{peer.PodCidrs[1]}", $"{addresses[1]}", link)],
                Way.Tunnel => Tunnelled(node, peer),
                _ => [],
            })
                yield return route;
        }
        // They answer no probe, and those on another segment have no route.
        foreach (NodeSpec ghost in _ghosts.Values.GroupBy(g => g.PodCidrs[0]).Select(g => g.MinBy(n => n.CreatedAt)!))
        {
            if (node.Segment != Cluster.Segment)
                continue;
            yield return V4(ghost.PodCidrs[0], ghost.InternalIPs[0], link);
            if (ghost.PodCidrs.Count > 1)
                yield return V6(ghost.PodCidrs[1], ghost.InternalIPs[1], link);
        }
    }

    // What the tunnel may carry at once follows the network. Routes to one address are those by which two ways are compared.
    private IEnumerable<string> Found(Node node) =>
        from route in KernelRoute.All(node.Network)
        where route.Protocol == OurProtocol && !(IsTunnelled && route.Destination.PrefixLength is 32 or 128)
        select $"{route with { Mtu = 0 }}";

    private static string[] Tunnelled(Node node, Node peer) =>
    [
        $"{peer.PodCidrs[0]} encap ip id 157 dst {peer.Addresses[0]} csum dev hostgw0 proto {OurProtocol} scope link " +
        $"src 192.168.{node.Number}.{SourceIndex}",
        $"{peer.PodCidrs[1]} encap ip6 id 157 dst {peer.Addresses[1]} hoplimit 64 csum via fe80::9d dev hostgw0 " +
        $"proto {OurProtocol} src fd00:192:168:{node.Number}::{SourceIndex:x} metric 1024",
    ];

    private static int Resync(bool isLong) => isLong ? 60 : 3600;

    private static string V4(string cidr, string via, string link) => $"{cidr} via {via} dev {link} proto {OurProtocol} onlink";

    private static string V6(string cidr, string via, string link) => $"{IPNetwork.Parse(cidr)} via {IPAddress.Parse(via)} dev {link} proto {OurProtocol} metric 1024 onlink";
}
