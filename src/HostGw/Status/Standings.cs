using System.Collections.Immutable;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Status;

/// <summary>The state of every podCIDR and since when. Immutable; a pass after which all is as it was makes nothing new.</summary>
/// <param name="Verdicts">Of the last pass that had any.</param>
/// <param name="States">One for each of these.</param>
internal sealed record Standings(ImmutableArray<Verdict> Verdicts, ImmutableArray<Standing> States)
{
    // All stood when this was made, and whatever is so again is so still.
    private bool _isPlain;

    public static Standings None { get; } = new([], []);

    public Standings After(PassReport report)
    {
        if (report.Plan is not { } plan)
            return this;
        bool isPlain = IsPlain(report);
        if (_isPlain && isPlain && plan.Verdicts == Verdicts)
            return this;

        var states = ImmutableArray.CreateBuilder<Standing>(plan.Verdicts.Length);
        RouteStates routes = new(report);
        int before = 0;
        foreach (Verdict verdict in plan.Verdicts)
        {
            PeerState state = PeerStates.Of(verdict, routes);
            Standing? was = Find(verdict, ref before);
            states.Add(was is { } same && same.State == state ? same : new(state, (uint)report.At.ToUnixTimeSeconds()));
        }
        return new(plan.Verdicts, states.MoveToImmutable()) { _isPlain = isPlain };
    }

    private static bool IsPlain(PassReport report) =>
        report.Plan?.Scope != PlanScope.Nothing && report.HeldBack.Count == 0 && report.Routes.Conflicts.Count == 0 &&
        !report.Failures.Any(f => f.Part == HostPart.Routes);

    // Both lists are in the order of the nodes' names; those of one node are few.
    private Standing? Find(in Verdict verdict, ref int before)
    {
        while (before < Verdicts.Length && string.CompareOrdinal(Verdicts[before].Node.Name, verdict.Node.Name) < 0)
            before++;
        for (int i = before; i < Verdicts.Length && Verdicts[i].Node.Name == verdict.Node.Name; i++)
        {
            // A node that was re-created is another.
            if (Verdicts[i].PodCidr == verdict.PodCidr && Verdicts[i].Node.Uid == verdict.Node.Uid)
                return States[i];
        }
        return null;
    }
}

/// <param name="SinceSeconds">Unix time.</param>
internal readonly record struct Standing(PeerState State, uint SinceSeconds)
{
    public DateTimeOffset Since => DateTimeOffset.FromUnixTimeSeconds(SinceSeconds);
}
