using System.Text.Json;

namespace HostGw.Commands;

/// <summary>The status for people.</summary>
internal static class StatusText
{
    private static readonly string[] Header = ["NODE", "OS", "PODCIDR", "VERDICT", "NEXT HOP", "ROUTE", "REASON"];

    public static void Write(JsonElement status, TextWriter output)
    {
        bool ready = status.GetProperty("ready").GetBoolean();
        output.WriteLine($"{Text(status, "node")}  {(ready ? "ready" : "NOT READY")}  (hostgw {Text(status, "version")}{(Text(status, "resourceVersion") is { Length: > 0 } at ? $", resource version {at}" : "")})");
        string[] reasons = Strings(status, "notReady");
        foreach (string reason in reasons)
            output.WriteLine($"  ! {reason}");
        if (Text(status, "apiServerProblem") is { Length: > 0 } problem)
            output.WriteLine($"  ! the API server cannot be followed, what stands stays: {problem}");
        if (!status.TryGetProperty("nodes", out JsonElement nodes))
            return;

        JsonElement nat = status.GetProperty("nat");
        output.WriteLine($"podCIDRs {(Strings(status, "podCidrs") is { Length: > 0 } own ? string.Join(", ", own) : "none")}   masquerade {Text(nat, "state")}{Until(nat)} ({Text(nat, "backend")})   CNI {Cni(status.GetProperty("cni"))}   passes {status.GetProperty("passes").GetProperty("count")}");
        output.WriteLine();
        WriteTable([Header, .. nodes.EnumerateArray().SelectMany(Rows)], output);
        string[] problems = [.. Strings(status, "problems").Except(reasons)];
        if (problems.Length > 0)
            output.WriteLine();
        foreach (string more in problems)
            output.WriteLine($"! {more}");
    }

    private static string Until(JsonElement rule) =>
        rule.TryGetProperty("heldUntil", out JsonElement until) && until.ValueKind == JsonValueKind.String ? $" until {Quoted.Visible(until.GetString()!)}" : "";

    private static string Cni(JsonElement cni) => Text(cni, "file") is { Length: > 0 } file ? $"{Text(cni, "state")} ({file})" : Text(cni, "state");

    private static IEnumerable<string[]> Rows(JsonElement node) =>
        node.GetProperty("podCidrs").EnumerateArray().Select(p => (string[])
        [
            Text(node, "name"), Text(node, "os"), Text(p, "podCidr"), Text(p, "verdict"), Text(p, "nextHop"), Text(p, "route"), Text(p, "reason"),
        ]);

    private static void WriteTable(List<string[]> rows, TextWriter output)
    {
        int[] widths = [.. Enumerable.Range(0, Header.Length).Select(i => rows.Max(r => r[i].Length))];
        foreach (string[] row in rows)
            output.WriteLine(string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd());
    }

    // What came from the API server must not reach the terminal as orders to it.
    private static string Text(JsonElement element, string name) => Quoted.Visible(element.GetProperty(name).GetString() ?? "");

    private static string[] Strings(JsonElement element, string name) =>
        [.. element.GetProperty(name).EnumerateArray().Select(e => Quoted.Visible(e.GetString() ?? ""))];
}
