using System.Text.Json;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Status;

/// <summary>Whether our rules stand after a pass: applied, failed, held while somebody keeps undoing them, off, or left alone.</summary>
internal static class RuleStates
{
    public static void Write(Utf8JsonWriter json, Plan plan, PassReport report)
    {
        json.WriteStartObject("nat");
        json.WriteString("backend", plan.Nat is null ? "none" : report.NatBackend?.Name ?? "");
        json.WriteString("why", plan.Nat is null ? "" : report.NatBackend?.Why ?? "");
        WriteState(json, report, HostPart.Nat, isOff: plan.Nat is null, report.HeldRules.Nat);
        StatusJson.Strings(json, "sources", plan.Nat is null ? [] : plan.Nat.Sources.Select(p => p.ToString()));
        StatusJson.Strings(json, "exempt", plan.Nat is null ? [] : plan.Nat.Exempt.Select(p => p.ToString()));
        json.WriteEndObject();

        json.WriteStartObject("forwardAccept");
        WriteState(json, report, HostPart.Forward, isOff: plan.ForwardAccept.IsEmpty, report.HeldRules.Forward);
        json.WriteEndObject();
    }

    private static void WriteState(Utf8JsonWriter json, PassReport report, HostPart part, bool isOff, string? held)
    {
        bool isHeld = held is not null;
        HostFailure? failure = report.Failures.FirstOrDefault(f => f.Part == part);
        json.WriteString("state", report.Plan?.Scope != PlanScope.Everything ? "left alone"
            : failure is not null ? "failed" : isHeld ? "held" : isOff ? "off" : "applied");
        json.WriteString("reason", failure is not null ? failure.Error.Message
            : isHeld ? $"to be done: {held}; put off because somebody keeps undoing our rules ({report.ContestedRules})" : "");
        if (isHeld && report.HeldRulesFor is { } left)
            json.WriteString("heldUntil", (report.At + left).UtcDateTime);
        else
            json.WriteNull("heldUntil");
    }
}
