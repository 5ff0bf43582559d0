using System.Collections.Immutable;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Status;

/// <summary>The latest passes that changed something or failed, newest first.</summary>
internal static class PassHistory
{
    public const int Most = 20;
    private const int Named = 3;

    public static ImmutableArray<PassEntry> After(ImmutableArray<PassEntry> passes, PassReport report)
    {
        if (!report.Changed && report.Failures.Count == 0)
            return passes;

        PassEntry entry = new(Kind(report), Describe(report), report.Causes, report.At, report.At, report.Elapsed, 1);
        // The same again and again must not push out what came before it.
        if (passes is [var last, .. var older] && (last.Kind, last.Text) == (entry.Kind, entry.Text))
            return [entry with { FirstAt = last.FirstAt, Times = last.Times + 1 }, .. older];
        return [entry, .. passes.Take(Most - 1)];
    }

    private static PassKind Kind(PassReport report) =>
        report.Failures.Count > 0 ? PassKind.Failure
        : report.Repairs != default ? PassKind.Repair : PassKind.Change;

    private static string Describe(PassReport report) => string.Join("; ",
    [
        .. Some(report.Failures.Count, "failed", report.Failures.Select(f => $"{f.What}: {f.Error.Message}")),
        .. Routes(report.Routes.Add.Count, "added", report.Routes.Add.Select(Show)),
        .. Routes(report.Routes.Replace.Count, "corrected", report.Routes.Replace.Select(c => Show(c.Route))),
        .. Routes(report.Routes.Delete.Count, "removed", report.Routes.Delete.Select(r => $"{r.Destination}")),
        .. Rule("masquerade rule", report.Result.NatChange),
        .. Rule("chain FORWARD", report.Result.ForwardChange),
        .. Rule("CNI configuration", report.Result.CniChange),
        .. Rule("forwarding", report.ForwardingChanged ? "switched on" : ""),
    ]);

    private static IEnumerable<string> Routes(int count, string what, IEnumerable<string> each) =>
        Some(count, $"{count} {(count == 1 ? "route" : "routes")} {what}", each);

    private static IEnumerable<string> Some(int count, string what, IEnumerable<string> each) =>
        count == 0 ? [] : [$"{what}: {string.Join(", ", each.Take(Named))}{(count > Named ? $" and {count - Named} more" : "")}"];

    private static IEnumerable<string> Rule(string what, string change) => change.Length == 0 ? [] : [$"{what}: {change}"];

    private static string Show(PodRoute route) =>
        route.NextHop.IsNone ? $"{route.Destination} on-link" : $"{route.Destination} via {route.NextHop}";
}

/// <summary>A pass, or several in a row that did the same.</summary>
/// <param name="At">Of the latest of them.</param>
/// <param name="Elapsed">Of the latest of them.</param>
internal sealed record PassEntry(
    PassKind Kind, string Text, WakeCauses Causes, DateTimeOffset FirstAt, DateTimeOffset At, TimeSpan Elapsed, int Times);

internal enum PassKind
{
    /// <summary>For the nodes or the settings.</summary>
    Change,

    /// <summary>Another program had undone something.</summary>
    Repair,
    Failure,
}
