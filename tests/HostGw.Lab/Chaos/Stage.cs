using HostGw.FakeApi;
using HostGw.Lab.Agents;
using HostGw.Lab.Network;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Chaos;

/// <summary>The cluster on which faults happen: three machines with pods, and nodes that only the API knows.</summary>
internal sealed class Stage : IAsyncDisposable
{
    /// <summary>A node without a machine that is always there: its routes are what somebody on a host tampers with.</summary>
    public const string Ghost = "ghost";

    public const int GhostNumber = 100;

    private const string OurProtocol = "157";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(90);

    private Dictionary<string, NodeSpec> _ghosts = [];

    private Stage(Cluster cluster, bool isLong, int seed) => (Cluster, IsLong, Seed, Random) = (cluster, isLong, seed, new(seed));

    public Cluster Cluster { get; }

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

    public static async Task<Stage> BuildAsync(bool isLong, int seed)
    {
        Cluster cluster = await Cluster.CreateAsync(new()
        {
            Nodes = 3,
            WindowsNode = 0,
            CredentialFiles = true,
            Agents = new("NodeAddress", Addressing.ClusterCidrs, ["--nat-backend", "nftables"]) { ResyncSeconds = isLong ? 60 : 3600 },
        });
        Stage stage = new(cluster, isLong, seed);
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

    /// <summary>Waits until every node has exactly the routes that the API's nodes ask for, and returns how long that took.</summary>
    public Task<TimeSpan> SettleAsync() => Eventually.TrueAsync(() => Difference() is null, () => Difference() ?? "", Deadline);

    /// <summary>Somebody on node 1 removes the routes to the ghost.</summary>
    public void TamperWithOne() => One.Network.Configure([.. _ghosts[Ghost].PodCidrs.Select(cidr => $"route delete {cidr}")]);

    /// <summary>What `hostgw plan` would change: the state as it is computed anew. Null: nothing.</summary>
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
        // Small enough to be filled.
        string state = First.StateDirectory;
        Directory.CreateDirectory(state);
        Command.Run("mount", "-t", "tmpfs", "-o", "size=64k", "state", state);
    }

    private string? Difference()
    {
        foreach (Node node in Cluster.Nodes)
        {
            string[] expected = [.. Expected(node).Order(StringComparer.Ordinal)];
            string[] found = [.. KernelRoute.All(node.Network).Where(r => r.Protocol == OurProtocol).Select(r => $"{r}").Order(StringComparer.Ordinal)];
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
            yield return V4(peer.PodCidrs[0].ToString(), addresses[0].ToString(), link);
            yield return V6(peer.PodCidrs[1].ToString(), addresses[1].ToString(), link);
        }
        foreach (NodeSpec ghost in _ghosts.Values.GroupBy(g => g.PodCidrs[0]).Select(g => g.MinBy(n => n.CreatedAt)!))
        {
            yield return V4(ghost.PodCidrs[0], ghost.InternalIPs[0], link);
            if (ghost.PodCidrs.Count > 1)
                yield return V6(ghost.PodCidrs[1], ghost.InternalIPs[1], link);
        }
    }

    private static string V4(string cidr, string via, string link) => $"{cidr} via {via} dev {link} proto {OurProtocol} onlink";

    private static string V6(string cidr, string via, string link) => $"{IPNetwork.Parse(cidr)} via {IPAddress.Parse(via)} dev {link} proto {OurProtocol} metric 1024 onlink";
}
