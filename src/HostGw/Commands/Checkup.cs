using HostGw.Diagnosis;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;
using HostGw.Settings;

namespace HostGw.Commands;

/// <summary>Looks at everything that a finding may come of. What cannot be read keeps nothing else from being looked at, and nothing is written.</summary>
internal static class Checkup
{
    public static async Task<Examination> TakeAsync(AgentSettings settings, IHostNetwork host, CancellationToken cancellationToken)
    {
        Examination seen = new() { Policy = settings.Policy };
        List<string> failures = [];
        Ip apiServer = default;
        try
        {
            (NodeSnapshot nodes, apiServer) = await ApiAccess.ListAsync(settings, cancellationToken);
            seen = seen with { Nodes = nodes.Nodes };
        }
        catch (Exception e) when (e is KubernetesException or KubernetesConfigurationException or NodeStreamException or IOException)
        {
            seen = seen with { ApiProblem = e.Message };
        }

        HostState? state = Try(() => host.Read(apiServer), failures);
        seen = seen with { Facts = HostPlatform.ReadFacts(settings, [.. state?.Interfaces.Select(i => i.Name) ?? []]) };
        if (state is not null)
            seen = seen with { Host = state };
        if (state is not null && seen.ApiProblem is null)
            seen = WithPlan(seen, settings, host, failures);
        return seen with { Failures = failures };
    }

    private static Examination WithPlan(Examination seen, AgentSettings settings, IHostNetwork host, List<string> failures)
    {
        Plan plan = Planner.Plan(seen.Nodes, seen.Host, settings.Policy);
        HostChanges changes = HostDiff.Between(plan, seen.Host, new HashSet<RouteKey>(), settings.Adopt);
        seen = seen with { Plan = plan, Routes = changes.Routes };
        // Without the right to read rules each of these would say so again.
        if (!seen.Facts.MayChangeNetwork)
            return seen;
        return seen with
        {
            NatChange = (changes.ChangesNat ? Try(() => host.PreviewNat(changes.Nat), failures) : null) ?? "",
            ForwardChange = (changes.ChangesForward ? Try(() => host.PreviewForward(changes.ForwardAccept), failures) : null) ?? "",
            Leftovers = (changes.ChangesNat ? Try(() => host.FindLeftovers(plan), failures) : null) ?? [],
            Obstacles = host.Obstacles,
        };
    }

    private static T? Try<T>(Func<T> read, List<string> failures)
        where T : class
    {
        try
        {
            return read();
        }
        catch (HostNetworkException e)
        {
            failures.Add(e.Message);
            return null;
        }
    }
}
