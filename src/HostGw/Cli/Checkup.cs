using HostGw.Diagnosis;
using HostGw.Hosting;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;
using HostGw.Settings;

namespace HostGw.Cli;

/// <summary>Reads everything that the doctor's rules examine. What cannot be read is reported, and the rest is read all the same.</summary>
internal static class Checkup
{
    /// <param name="probe">Resolve next hops again, which adds entries to the neighbour table.</param>
    public static async Task<Examination> TakeAsync(
        AgentSettings settings, IHostNetwork host, bool probe, CancellationToken cancellationToken)
    {
        (Examination seen, Ip apiServer) = await AskAsync(settings, cancellationToken);
        List<string> failures = [];
        HostState? state = Try(() => host.Read(apiServer), failures);
        seen = seen with { Facts = HostPlatform.ReadFacts(settings, [.. state?.Interfaces.Select(i => i.Name) ?? []]) };
        if (state is not null)
            seen = seen with { Host = state };
        if (state is not null && seen.ApiProblem is null)
            seen = WithPlan(seen, settings, host, failures);
        if (seen.Plan is { } plan)
        {
            IReadOnlySet<Neighbour> wanted = NeighbourRules.Wanted(plan, seen.Host);
            seen = seen with { Neighbours = await NeighboursAsync(wanted, probe, failures, cancellationToken) };
        }
        return seen with { Failures = failures };
    }

    private static async Task<(Examination Seen, Ip ApiServer)> AskAsync(AgentSettings settings, CancellationToken cancellationToken)
    {
        Examination seen = new() { Policy = settings.Policy, Now = TimeProvider.System.GetUtcNow() };
        try
        {
            seen = seen with
            {
                Credentials = [.. CredentialTimes.Read(ApiAccess.Configuration(settings))
                    .Select(c => new Validity(c.What, c.From, c.Until))],
            };
            using ApiClient client = ApiAccess.Connect(settings);
            try
            {
                seen = seen with { Nodes = (await ApiAccess.ListAsync(settings, client, cancellationToken)).Nodes };
            }
            catch (Exception e) when (e is ApiException or NodeStreamException or IOException)
            {
                seen = seen with { ApiProblem = e.Message };
            }
            return (seen with { ServerClock = client.ServerClock }, Ip.From(client.RemoteAddress));
        }
        catch (ApiConfigurationException e)
        {
            return (seen with { ApiProblem = e.Message }, default);
        }
    }

    private static async Task<IReadOnlyDictionary<Ip, NeighbourEntry>> NeighboursAsync(
        IReadOnlySet<Neighbour> wanted, bool probe, List<string> failures, CancellationToken cancellationToken)
    {
        try
        {
            IReadOnlyList<NeighbourEntry> entries = await HostPlatform.ReadNeighboursAsync(wanted, probe, cancellationToken);
            return entries.DistinctBy(n => n.Address).ToDictionary(n => n.Address);
        }
        catch (HostNetworkException e)
        {
            failures.Add(e.Message);
            return new Dictionary<Ip, NeighbourEntry>();
        }
    }

    private static Examination WithPlan(Examination seen, AgentSettings settings, IHostNetwork host, List<string> failures)
    {
        Plan plan = Planner.Plan(seen.Nodes, seen.Host, settings.Policy);
        HostChanges changes = HostDiff.Between(plan, seen.Host, new HashSet<RouteKey>(), settings.Adopt);
        seen = seen with { Plan = plan, Routes = changes.Routes };
        // Without the right to read rules each of these would say so again.
        if (!seen.Facts.MayChangeNetwork)
            return seen;
        changes = changes with { FindsLeftovers = changes.ChangesNat, ChangesCni = false };
        ApplyResult result = host.Apply(changes, ApplyMode.Preview);
        failures.AddRange(result.Failures.Select(f => f.Error.Message));
        return seen with
        {
            NatChange = result.NatChange,
            ForwardChange = result.ForwardChange,
            Leftovers = result.Leftovers ?? [],
            Obstacles = result.Obstacles,
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
