using System.Collections.Immutable;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

/// <summary>A reconciler on a model host, with the nodes of the test.</summary>
internal sealed class Agent
{
    public static readonly string[] ThreeNodes = [Given.Self, "b 10.244.2.0/24 10.0.0.2", "c 10.244.3.0/24 10.0.0.3"];

    private readonly string _policy;
    private Reconciler _reconciler;
    private (string[] Text, ImmutableArray<ClusterNode> Nodes) _last = ([], []);

    /// <summary>nodeName is "self"; the LAN is 10.0.0.0/24 and fd00:aaaa::/64 on eth0.</summary>
    public Agent(string policy = "", string host = Given.Lan)
    {
        _policy = policy;
        Host = new(Given.Host(host));
        _reconciler = NewReconciler();
    }

    public ModelHost Host { get; }

    public ManualTime Time { get; } = new();

    public AdoptMode Adopt { get; init; }

    public string[] Nodes { get; set; } = ThreeNodes;

    /// <summary>The known addresses of the API server.</summary>
    public Ip[] ApiServers { get; set; } = [];

    /// <summary>How many lists by quorum the nodes have behind them.</summary>
    public int QuorumReads { get; set; }

    /// <summary>Null: the nodes do not come from the digest.</summary>
    public DigestHealth? Digest { get; set; }

    /// <summary>What the probes say.</summary>
    public Reachability Reachability { get; set; } = Reachability.Off;

    public PassReport Pass(WakeCauses causes = WakeCauses.Nodes) =>
        _reconciler.Run(Snapshot, ApiServers, causes) with { Reachability = Reachability };

    /// <summary>What `hostgw plan` finds on this host.</summary>
    public PassReport DryPass()
    {
        DryPass pass = new(Host, Given.Policy(_policy), Adopt);
        return pass.Preview(pass.Compare(Snapshot, Host.Read(ApiServers), Reachability));
    }

    /// <summary>Runs a pass and returns what it did to the host.</summary>
    public string[] Did()
    {
        int before = Host.Journal.Count;
        Pass();
        return [.. Host.Journal.Skip(before)];
    }

    /// <summary>The agent starts again, remembering nothing.</summary>
    public void Restart(string? policy = null, AdoptMode? adopt = null) => _reconciler = NewReconciler(policy, adopt);

    private NodeSnapshot Snapshot
    {
        get
        {
            // As the store does, the same nodes as long as none changes.
            if (!Nodes.SequenceEqual(_last.Text))
                _last = ([.. Nodes], Given.Nodes(Nodes));
            return new(_last.Nodes, "42", IsComplete: true) { QuorumReads = QuorumReads, Digest = Digest };
        }
    }

    private Reconciler NewReconciler(string? policy = null, AdoptMode? adopt = null) =>
        new(Host, Given.Policy(policy ?? _policy), adopt ?? Adopt, Time) { Reachability = () => Reachability };
}
