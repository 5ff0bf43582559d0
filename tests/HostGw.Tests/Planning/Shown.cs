using HostGw.Planning;

namespace HostGw.Tests.Planning;

/// <summary>Plans as one reads them.</summary>
internal static class Shown
{
    public static string[] Routes(Plan plan, HostState host) =>
        [.. plan.Routes.Select(r => $"{r.Destination}{(r.NextHop.IsNone ? "" : $" via {r.NextHop}")} dev {host.Interface(r.Interface)?.Name}")];

    /// <summary>"peer 10.244.2.0/24 routed: reason".</summary>
    public static string Verdict(Verdict verdict) =>
        $"{verdict.Node.Name} {(verdict.PodCidr.IsNone ? "-" : verdict.PodCidr.ToString())} {VerdictNames.Of(verdict.Kind)}" +
        (verdict.Reason.Length == 0 ? "" : $": {verdict.Reason}");

    public static string[] Verdicts(Plan plan) => [.. plan.Verdicts.Select(Verdict)];
}
