using HostGw.Hosting;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;
using HostGw.Settings;

namespace HostGw.Cli;

/// <summary>What a pass would change now. Nothing is changed.</summary>
internal sealed record Preview(
    Plan Plan, HostChanges Changes, HostState Host, string NatChange, string ForwardChange = "", string CniChange = "")
{
    public bool IsEmpty => Changes.Routes.IsEmpty && NatChange.Length == 0 && ForwardChange.Length == 0 && CniChange.Length == 0
        && !Changes.EnableForwardingIPv4 && !Changes.EnableForwardingIPv6 && Changes.AcceptRa.Count == 0;

    /// <summary>Foreign rules that do harm.</summary>
    public IReadOnlyList<Leftover> Leftovers { get; init; } = [];

    /// <summary>Nothing would change, and no route is missing.</summary>
    public bool IsInOrder => IsEmpty && Changes.Routes.Conflicts.Count == 0 && Plan.Faults.IsEmpty;

    public static async Task<Preview> TakeAsync(AgentSettings settings, CancellationToken cancellationToken)
    {
        using IHostNetwork host = HostPlatform.Open(settings);
        return await TakeAsync(settings, host, cancellationToken);
    }

    public static async Task<Preview> TakeAsync(AgentSettings settings, IHostNetwork host, CancellationToken cancellationToken)
    {
        (NodeSnapshot nodes, Ip apiServer) = await ApiAccess.ListAsync(settings, cancellationToken);
        HostState state = host.Read(apiServer);
        Plan plan = Planner.Plan(nodes.Nodes, state, settings.Policy);
        HostChanges changes = HostDiff.Between(plan, state, new HashSet<RouteKey>(), settings.Adopt);
        ApplyResult result = host.Apply(changes with { FindsLeftovers = changes.ChangesNat }, ApplyMode.Preview);
        if (result.Failures.Count > 0)
            throw result.Failures[0].Error;
        return new(plan, changes, state, result.NatChange, result.ForwardChange, result.CniChange) { Leftovers = result.Leftovers ?? [] };
    }
}
