using System.Text.Json;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Status;

/// <summary>Whether our rules stand after a pass: applied, failed, held while somebody keeps undoing them, off, or left alone.</summary>
internal static class RuleStates
{
    public static string[] All { get; } = ["applied", "failed", "held", "off", "left alone"];

    public static string Backend(Plan plan, PassReport report) => plan.Nat is null ? "none" : report.NatBackend?.Name ?? "";

    public static string OfNat(Plan plan, PassReport report) => State(report, HostPart.Nat, isOff: plan.Nat is null, report.HeldRules.Nat);

    public static string OfForward(Plan plan, PassReport report) => State(report, HostPart.Forward, plan.ForwardAccept.IsEmpty, report.HeldRules.Forward);

    public static void Write(Utf8JsonWriter json, Plan plan, PassReport report)
    {
        json.WriteStartObject("nat");
        json.WriteString("backend", Backend(plan, report));
        json.WriteString("why", plan.Nat is null ? "" : report.NatBackend?.Why ?? "");
        WriteState(json, report, HostPart.Nat, OfNat(plan, report), report.HeldRules.Nat);
        StatusJson.Strings(json, "sources", plan.Nat is null ? [] : plan.Nat.Sources.Select(p => p.ToString()));
        StatusJson.Strings(json, "exempt", plan.Nat is null ? [] : plan.Nat.Exempt.Select(p => p.ToString()));
        json.WriteEndObject();

        json.WriteStartObject("forwardAccept");
        WriteState(json, report, HostPart.Forward, OfForward(plan, report), report.HeldRules.Forward);
        json.WriteEndObject();
    }

    private static string State(PassReport report, HostPart part, bool isOff, string? held) =>
        report.Plan?.Scope != PlanScope.Everything ? "left alone"
        : Failure(report, part) is not null ? "failed"
        : held is not null ? "held"
        : isOff ? "off" : "applied";

    private static HostFailure? Failure(PassReport report, HostPart part) => report.Failures.FirstOrDefault(f => f.Part == part);

    private static void WriteState(Utf8JsonWriter json, PassReport report, HostPart part, string state, string? held)
    {
        json.WriteString("state", state);
        json.WriteString("reason", Failure(report, part) is { } failure ? failure.Error.Message
            : held is not null ? $"to be done: {held}; put off because somebody keeps undoing our rules ({report.ContestedRules})" : "");
        if (held is not null && report.HeldRulesFor is { } left)
            json.WriteString("heldUntil", (report.At + left).UtcDateTime);
        else
            json.WriteNull("heldUntil");
    }
}
