using HostGw.FakeApi;
using HostGw.Lab.Agents;
using HostGw.Lab.Topology;

namespace HostGw.Lab;

/// <summary>A cluster in the box: nodes with pods, the API server, the outside world, and an agent for every node.</summary>
public sealed class Cluster : IAsyncDisposable
{
    private static readonly DateTimeOffset Founded = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly List<Node> _nodes = [];
    private readonly Dictionary<string, Agent> _agents = [];

    private Cluster(ClusterSettings settings, Segment segment, Outside outside, ControlPlane api)
    {
        Settings = settings;
        Segment = segment;
        Outside = outside;
        Second = settings.FirstOnSecondSegment > 0 ? SecondSegment.Create(segment, outside) : null;
        Api = api;
    }

    public ClusterSettings Settings { get; }

    public Segment Segment { get; }

    /// <summary>Null: there is one segment.</summary>
    public SecondSegment? Second { get; }

    public Outside Outside { get; }

    public ControlPlane Api { get; }

    public IReadOnlyList<Node> Nodes => _nodes;

    public IEnumerable<Agent> Agents => _agents.Values;

    public IEnumerable<Pod> Pods => _nodes.SelectMany(node => node.Pods);

    /// <summary>Builds it all. The API knows the nodes; no agent runs yet.</summary>
    public static async Task<Cluster> CreateAsync(ClusterSettings settings)
    {
        if (!Box.IsInside)
            throw new InvalidOperationException("a cluster is built in a box only: tests/tools/in-box.sh COMMAND");
        var segment = Segment.Create();
        var cluster = new Cluster(settings, segment, Outside.Create(segment), await ControlPlane.StartAsync(segment, settings));
        for (int number = 1; number <= settings.Nodes; number++)
            cluster.Announce(cluster.AddMachine(number));
        return cluster;
    }

    /// <summary>Number from 1.</summary>
    public Node Node(int number) => _nodes.Single(node => node.Number == number);

    public Agent Agent(Node node) => _agents[node.Name];

    /// <summary>What the API says of a machine: the truth, unless changed with <c>with</c>.</summary>
    public NodeSpec Describe(Node node) => new(node.Name)
    {
        // Older than anything a test adds, and in the order of their numbers.
        CreatedAt = Founded.AddMinutes(node.Number),
        OperatingSystem = node.IsWindows ? "windows" : "linux",
        InternalIPs = [.. node.Addresses.Where(address => Has(address)).Select(address => $"{address}")],
        PodCidrs = [.. node.PodCidrs.Where(cidr => Has(cidr.BaseAddress)).Select(cidr => $"{cidr}")],
    };

    /// <summary>Puts the machine's Node object into the API.</summary>
    public void Announce(Node node) => Api.Server.Nodes.Put(Describe(node));

    /// <summary>Adds a machine, of which the API knows nothing yet.</summary>
    public Node AddMachine(int number)
    {
        Segment segment = Second is not null && number >= Settings.FirstOnSecondSegment ? Second.Segment : Segment;
        var node = Topology.Node.Create(segment, number, number == Settings.WindowsNode, Settings.Bridges, Settings.PodsPerNode);
        _nodes.Add(node);
        Agent agent = new(node.Network, Api.Kubeconfig, Settings.Agents);
        // What an earlier machine of this name left is not on the disk of this one.
        if (Directory.Exists(agent.StateDirectory))
            Directory.Delete(agent.StateDirectory, recursive: true);
        _agents.Add(node.Name, agent);
        return node;
    }

    /// <summary>Switches a machine off. Its Node object stays.</summary>
    public void RemoveMachine(Node node)
    {
        _agents[node.Name].Dispose();
        _agents.Remove(node.Name);
        _nodes.Remove(node);
        node.Dispose();
    }

    /// <summary>A second agent for a node that has one. Whoever asks for it disposes of it.</summary>
    public Agent AnotherAgent(Node node) => new(node.Network, Api.Kubeconfig, Settings.Agents, $"{node.Name}-second", 9158);

    /// <summary>A digest on this node. Whoever asks for it disposes of it.</summary>
    public DigestProgram NewDigest(Node node, string name = "digest") => new(node.Network, node.Name, Api.Kubeconfig, name);

    /// <summary>Starts every agent that does not run, and waits until all are ready.</summary>
    public Task StartAgentsAsync() =>
        Task.WhenAll(Agents.Where(agent => !agent.IsRunning).Select(agent => agent.StartAndWaitAsync()));

    public async ValueTask DisposeAsync()
    {
        foreach (Agent agent in Agents)
            agent.Dispose();
        _nodes.ForEach(node => node.Dispose());
        Second?.Dispose();
        Outside.Dispose();
        Segment.Dispose();
        await Api.DisposeAsync();
    }

    private bool Has(IPAddress address) => Settings.DualStack || !address.IsV6();
}
