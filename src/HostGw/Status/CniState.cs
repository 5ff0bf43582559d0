using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Status;

/// <summary>What became of our CNI configuration in a pass.</summary>
internal static class CniState
{
    public static string[] All { get; } = ["applied", "failed", "waiting", "left to another plugin", "off", "left alone"];

    public static string Of(Plan plan, PassReport report) =>
        plan.Scope != PlanScope.Everything ? "left alone"
        : report.Failures.Any(f => f.Part == HostPart.Cni) ? "failed"
        : plan.Cni is null ? "off"
        : report.Cni is null ? "waiting"
        : report.Cni.IsOurs ? "applied" : "left to another plugin";
}
