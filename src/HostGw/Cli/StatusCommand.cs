using System.CommandLine;
using System.Text;
using System.Text.Json;
using HostGw.Settings;
using HostGw.Status;

namespace HostGw.Cli;

/// <summary>Asks the agent on this host for its status.</summary>
internal static class StatusCommand
{
    public static Command Create()
    {
        Option<string> output = OutputOption.Create();
        Command command = CommandLine.Create(
            "status", "Ask the agent on this host whether it is ready, and for the verdict and route of every node.", UsedBy.Status,
            (settings, parsed, cancellationToken) => RunAsync(
                settings.Listen, parsed.GetValue(output) == OutputOption.Json, parsed.InvocationConfiguration, cancellationToken));
        command.Options.Add(output);
        return command;
    }

    private static async Task<int> RunAsync(
        IPEndPoint listen, bool asJson, InvocationConfiguration console, CancellationToken cancellationToken)
    {
        try
        {
            return Show(await AgentStatus.AskAsync(listen, cancellationToken), listen, asJson, console);
        }
        catch (HttpRequestException e) when (e.StatusCode is not null)
        {
            return Refuse(listen, console);
        }
        catch (Exception e) when (AgentStatus.IsUnanswered(e, cancellationToken))
        {
            await console.Error.WriteLineAsync(
                $"No agent answers on {listen} ({e.Message}): is it running, and with the same setting listen?");
            return ExitCodes.Failed;
        }
    }

    private static int Show(byte[] answer, IPEndPoint listen, bool asJson, InvocationConfiguration console)
    {
        using JsonDocument? status = AgentStatus.Parse(answer);
        if (status is null || StatusText.Of(status.RootElement) is not { } text)
            return Refuse(listen, console);
        console.Output.Write(asJson ? Encoding.UTF8.GetString(answer) : text);
        return ExitCodes.Done;
    }

    private static int Refuse(IPEndPoint listen, InvocationConfiguration console)
    {
        console.Error.WriteLine($"The program that answers on {listen} is not a compatible agent (this is hostgw {AgentVersion.Full})");
        return ExitCodes.Failed;
    }
}

/// <summary>The status as text.</summary>
internal static class StatusText
{
    private static readonly string[] Header = ["NODE", "OS", "PODCIDR", "VERDICT", "NEXT HOP", "ROUTE"];

    /// <summary>Null: it is no status of an agent. The node digest's has the same version.</summary>
    public static string? Of(JsonElement status)
    {
        using StringWriter output = new();
        try
        {
            Write(status, output);
            return output.ToString();
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

    private static void Write(JsonElement status, TextWriter output)
    {
        bool ready = status.GetProperty("ready").GetBoolean();
        string version = Text(status, "resourceVersion") is { Length: > 0 } at ? $", resource version {at}" : "";
        output.WriteLine($"{Text(status, "node")}  {(ready ? "ready" : "NOT READY")}  (hostgw {Text(status, "version")}{version})");
        string[] reasons = Strings(status, "notReady");
        foreach (string reason in reasons)
            output.WriteLine($"  ! {reason}");
        if (Text(status, "apiServerProblem") is { Length: > 0 } problem)
            output.WriteLine($"  ! cannot watch nodes, existing routes are kept: {problem}");
        if (!status.TryGetProperty("nodes", out JsonElement nodes))
            return;

        output.WriteLine(Summary(status));
        if (status.TryGetProperty("digest", out JsonElement digest))
            output.WriteLine(Digest(digest));
        output.WriteLine();
        bool probes = AgentStatus.HasProbes(status);
        string[] header = [.. Header, .. probes ? ["PROBES"] : (string[])[], "REASON"];
        WriteTable([header, .. nodes.EnumerateArray().SelectMany(n => Rows(n, probes))], output);
        string[] problems = [.. Strings(status, "problems").Except(reasons)];
        if (problems.Length > 0)
            output.WriteLine();
        foreach (string more in problems)
            output.WriteLine($"! {more}");
        // An agent of an earlier version does not list them.
        foreach (string rule in status.TryGetProperty("policyRulesNotJudged", out _) ? Strings(status, "policyRulesNotJudged") : [])
            output.WriteLine($"? policy rule {rule}: it cannot be known beforehand which packets match");
    }

    private static string Summary(JsonElement status)
    {
        JsonElement nat = status.GetProperty("nat");
        string own = Strings(status, "podCidrs") is { Length: > 0 } podCidrs ? string.Join(", ", podCidrs) : "none";
        return $"podCIDRs {own}   masquerade {Text(nat, "state")}{Until(nat)} ({Text(nat, "backend")})   " +
            $"CNI {Cni(status.GetProperty("cni"))}   passes {status.GetProperty("passes").GetProperty("count")}";
    }

    private static string Digest(JsonElement digest)
    {
        int rejected = digest.GetProperty("rejected").GetArrayLength();
        string renewed = digest.GetProperty("renewedAt") is { ValueKind: JsonValueKind.String } at
            ? $"renewed {Quoted.Visible(at.GetString()!)}" : "not renewed yet";
        string more = rejected > 0 ? $", {rejected} shards rejected" : "";
        return $"node digest of resource version {Text(digest, "source")}, {renewed}{more}";
    }

    private static string Until(JsonElement rule) =>
        rule.TryGetProperty("heldUntil", out JsonElement until) && until.ValueKind == JsonValueKind.String
            ? $" until {Quoted.Visible(until.GetString()!)}" : "";

    private static string Cni(JsonElement cni) =>
        Text(cni, "file") is { Length: > 0 } file ? $"{Text(cni, "state")} ({file})" : Text(cni, "state");

    private static IEnumerable<string[]> Rows(JsonElement node, bool probes) =>
        node.GetProperty("podCidrs").EnumerateArray().Select(p => (string[])
        [
            Text(node, "name"), Text(node, "os"),
            Text(p, "podCidr"), Text(p, "verdict"), Text(p, "nextHop"), Route(p),
            .. probes ? [ReachText.Of(Text(p, "reachability"), Number(p, "roundTripMs"))] : (string[])[], Text(p, "reason"),
        ]);

    // An agent of an earlier version knows no path.
    private static string Route(JsonElement podCidr) =>
        podCidr.TryGetProperty("path", out JsonElement path) && path.GetString() == "tunnel"
            ? $"{Text(podCidr, "route")} (tunnel)".TrimStart() : Text(podCidr, "route");

    private static void WriteTable(List<string[]> rows, TextWriter output)
    {
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(i => rows.Max(r => r[i].Length))];
        foreach (string[] row in rows)
            output.WriteLine(string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd());
    }

    // Text from the API server must not reach the terminal as control sequences.
    private static string Text(JsonElement element, string name) => Quoted.Visible(element.GetProperty(name).GetString() ?? "");

    private static double? Number(JsonElement element, string name) =>
        element.GetProperty(name) is { ValueKind: JsonValueKind.Number } number ? number.GetDouble() : null;

    private static string[] Strings(JsonElement element, string name) =>
        [.. element.GetProperty(name).EnumerateArray().Select(e => Quoted.Visible(e.GetString() ?? ""))];
}
