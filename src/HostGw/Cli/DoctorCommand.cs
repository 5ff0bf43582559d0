using System.CommandLine;
using System.Text;
using System.Text.Json;
using HostGw.Hosting;
using HostGw.Kubernetes;
using HostGw.Nodes;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Problems.Rules;
using HostGw.Reconciliation;
using HostGw.Settings;

namespace HostGw.Cli;

/// <summary>Reports what is wrong with this host or its cluster, and the cure. Changes nothing.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        Option<string> output = OutputOption.Create();
        Option<bool> probe = new("--probe")
        {
            Description = "Resolve every next hop again (ARP, neighbour discovery), ask peers' agents with datagrams as large as the " +
                "network should carry, and wait for the answers, up to 10 seconds each",
        };
        Command command = CommandLine.Create(
            "doctor",
            "Look for what keeps pods of other nodes from being reached, and say what to do about it. Changes nothing. " +
                $"Ends with exit code {ExitCodes.Difference} if it finds something.",
            UsedBy.Doctor,
            async (settings, parsed, cancellationToken) =>
            {
                using IHostNetwork host = HostPlatform.Open(settings);
                Examination examination = await ExaminationReader.ReadAsync(settings, host, parsed.GetValue(probe), cancellationToken);
                IReadOnlyList<Problem> problems = Doctor.Examine(examination);
                TextWriter console = parsed.InvocationConfiguration.Output;
                if (parsed.GetValue(output) == OutputOption.Json)
                    console.WriteLine(FindingsJson.Write(settings.NodeName, problems));
                else
                    FindingsText.Write(problems, console);
                return problems.Count > 0 ? ExitCodes.Difference : ExitCodes.Done;
            });
        command.Options.Add(output);
        command.Options.Add(probe);
        return command;
    }
}

/// <summary>Reads what the doctor's rules examine. A part that cannot be read is reported, and the others are read.</summary>
internal static class ExaminationReader
{
    /// <param name="probe">Resolve the next hops again, which adds entries to the neighbour table, and ask peers' agents.</param>
    public static async Task<Examination> ReadAsync(
        AgentSettings settings, IHostNetwork host, bool probe, CancellationToken cancellationToken)
    {
        (Examination seen, NodeSnapshot nodes, IReadOnlyList<Ip> apiServers) = await ReadNodesAsync(settings, cancellationToken);
        List<string> failures = [];
        HostState? state = Try(() => host.Read(apiServers), failures);
        seen = seen with { Facts = HostPlatform.ReadFacts(settings, [.. state?.Interfaces.Select(i => i.Name) ?? []]) };
        if (state is not null)
            seen = seen with { Host = state };
        if (state is not null && seen.ApiProblem is null)
        {
            seen = seen with { Reachability = await AgentStatus.AskReachabilityAsync(settings.Listen, cancellationToken) };
            seen = WithPlan(seen, nodes, new(host, settings.Policy, settings.Adopt), failures);
        }
        if (seen.Plan is { } plan)
        {
            IReadOnlySet<Neighbour> wanted = NeighbourRules.Wanted(plan, seen.Host);
            seen = seen with
            {
                Neighbours = await ReadNeighboursAsync(wanted, probe, failures, cancellationToken),
                SizeAnswers = probe && settings.Policy.Probe
                    ? await HostPlatform.AskSizesAsync(plan, seen.Host, settings, cancellationToken)
                    : [],
            };
        }
        return seen with { Failures = failures };
    }

    private static async Task<(Examination Seen, NodeSnapshot Nodes, IReadOnlyList<Ip> ApiServers)> ReadNodesAsync(
        AgentSettings settings, CancellationToken cancellationToken)
    {
        Examination seen = new() { Policy = settings.Policy, Now = TimeProvider.System.GetUtcNow() };
        NodeSnapshot nodes = NodeSnapshot.Nothing;
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
                nodes = await ApiAccess.ListAsync(settings, client, cancellationToken);
                seen = seen with { Nodes = nodes.Nodes, Digest = nodes.Digest, Policy = settings.Policy.WithFound(nodes.ServiceCidrs) };
            }
            catch (Exception e) when (e is ApiException or InvalidAnswerException or IOException)
            {
                seen = seen with { ApiProblem = e.Message };
            }
            return (seen with { ServerClock = client.ServerClock }, nodes, ApiAccess.Addresses(settings, client));
        }
        catch (ApiConfigurationException e)
        {
            return (seen with { ApiProblem = e.Message }, nodes, []);
        }
    }

    private static async Task<IReadOnlyDictionary<Ip, NeighbourEntry>> ReadNeighboursAsync(
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

    private static Examination WithPlan(Examination seen, NodeSnapshot nodes, DryPass pass, List<string> failures)
    {
        PassReport report = pass.Compare(nodes, seen.Host, seen.Reachability);
        seen = seen with { Plan = report.Plan, Routes = report.Routes };
        // Without the right to read rules, every one of them would report that again.
        if (!seen.Facts.MayChangeNetwork)
            return seen;
        ApplyResult result = pass.Preview(report with { Changes = report.Changes with { ChangesCni = false } }).Result;
        failures.AddRange(result.Failures.Select(f => f.Error.Message));
        return seen with
        {
            Overrides = result.Overrides,
            ProbeObstacles = result.ProbeObstacles,
            NatChange = result.NatChange,
            ForwardChange = result.ForwardChange,
            Leftovers = result.Leftovers ?? [],
            Doubts = result.Doubts,
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

/// <summary>The doctor's findings as text.</summary>
internal static class FindingsText
{
    public static void Write(IReadOnlyList<Problem> problems, TextWriter output)
    {
        foreach (Problem problem in problems)
        {
            // Names from the API server must not reach the terminal as control sequences.
            output.WriteLine($"! {problem.Rule}: {Quoted.Visible(problem.Text)}");
            output.WriteLine($"    {Quoted.Visible(problem.Cure)}");
        }
        output.WriteLine(problems.Count == 0 ? "No problem found from this host." : $"{problems.Count} found.");
    }
}

/// <summary>The doctor's findings as JSON.</summary>
internal static class FindingsJson
{
    private const int SchemaVersion = 1;

    public static string Write(string node, IReadOnlyList<Problem> problems)
    {
        return Encoding.UTF8.GetString(JsonText.Object(json =>
        {
            json.WriteNumber("schemaVersion", SchemaVersion);
            json.WriteString("node", node);
            json.WriteStartArray("findings");
            foreach (Problem problem in problems)
            {
                json.WriteStartObject();
                json.WriteString("rule", problem.Rule);
                json.WriteString("problem", problem.Text);
                json.WriteString("cure", problem.Cure);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }, JsonText.Readable).Span);
    }
}
