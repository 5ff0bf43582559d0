using System.CommandLine;
using System.Text;
using System.Text.Json;
using HostGw.Settings;
using HostGw.Status;

namespace HostGw.Cli;

/// <summary>Asks the agent on this host for its status.</summary>
internal static class StatusCommand
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(10);

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
            using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = AnswerTimeout };
            byte[] answer = await client.GetByteArrayAsync($"http://{Reachable(listen)}/status", cancellationToken);
            return Show(answer, listen, asJson, console);
        }
        catch (Exception e) when (e is HttpRequestException || (e is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            await console.Error.WriteLineAsync(
                $"No agent answers on {listen} ({e.Message}): is it running, and with the same setting listen?");
            return ExitCodes.Failed;
        }
    }

    private static int Show(byte[] answer, IPEndPoint listen, bool asJson, InvocationConfiguration console)
    {
        using JsonDocument? status = Parse(answer);
        if (status is null)
        {
            console.Error.WriteLine($"The program that answers on {listen} is not a compatible agent (this is hostgw {AgentVersion.Full})");
            return ExitCodes.Failed;
        }
        if (asJson)
            console.Output.Write(Encoding.UTF8.GetString(answer));
        else
            StatusText.Write(status.RootElement, console.Output);
        return ExitCodes.Done;
    }

    private static JsonDocument? Parse(byte[] answer)
    {
        try
        {
            var status = JsonDocument.Parse(answer);
            return IsKnown(status.RootElement) ? status : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool IsKnown(JsonElement status) =>
        status.ValueKind == JsonValueKind.Object
        && status.TryGetProperty("schemaVersion", out JsonElement version) && version.ValueKind == JsonValueKind.Number
        && version.TryGetInt32(out int number) && number == StatusJson.SchemaVersion;

    // An agent that listens on all addresses is reached on loopback.
    private static IPEndPoint Reachable(IPEndPoint listen) =>
        listen.Address.Equals(IPAddress.Any) ? new(IPAddress.Loopback, listen.Port)
        : listen.Address.Equals(IPAddress.IPv6Any) ? new(IPAddress.IPv6Loopback, listen.Port)
        : listen;
}

/// <summary>The status as text.</summary>
internal static class StatusText
{
    private static readonly string[] Header = ["NODE", "OS", "PODCIDR", "VERDICT", "NEXT HOP", "ROUTE", "REASON"];

    public static void Write(JsonElement status, TextWriter output)
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
        output.WriteLine();
        WriteTable([Header, .. nodes.EnumerateArray().SelectMany(Rows)], output);
        string[] problems = [.. Strings(status, "problems").Except(reasons)];
        if (problems.Length > 0)
            output.WriteLine();
        foreach (string more in problems)
            output.WriteLine($"! {more}");
    }

    private static string Summary(JsonElement status)
    {
        JsonElement nat = status.GetProperty("nat");
        string own = Strings(status, "podCidrs") is { Length: > 0 } podCidrs ? string.Join(", ", podCidrs) : "none";
        return $"podCIDRs {own}   masquerade {Text(nat, "state")}{Until(nat)} ({Text(nat, "backend")})   " +
            $"CNI {Cni(status.GetProperty("cni"))}   passes {status.GetProperty("passes").GetProperty("count")}";
    }

    private static string Until(JsonElement rule) =>
        rule.TryGetProperty("heldUntil", out JsonElement until) && until.ValueKind == JsonValueKind.String
            ? $" until {Quoted.Visible(until.GetString()!)}" : "";

    private static string Cni(JsonElement cni) =>
        Text(cni, "file") is { Length: > 0 } file ? $"{Text(cni, "state")} ({file})" : Text(cni, "state");

    private static IEnumerable<string[]> Rows(JsonElement node) =>
        node.GetProperty("podCidrs").EnumerateArray().Select(p => (string[])
        [
            Text(node, "name"), Text(node, "os"),
            Text(p, "podCidr"), Text(p, "verdict"), Text(p, "nextHop"), Text(p, "route"), Text(p, "reason"),
        ]);

    private static void WriteTable(List<string[]> rows, TextWriter output)
    {
        int[] widths = [.. Enumerable.Range(0, Header.Length).Select(i => rows.Max(r => r[i].Length))];
        foreach (string[] row in rows)
            output.WriteLine(string.Join("  ", row.Select((cell, i) => cell.PadRight(widths[i]))).TrimEnd());
    }

    // Text from the API server must not reach the terminal as control sequences.
    private static string Text(JsonElement element, string name) => Quoted.Visible(element.GetProperty(name).GetString() ?? "");

    private static string[] Strings(JsonElement element, string name) =>
        [.. element.GetProperty(name).EnumerateArray().Select(e => Quoted.Visible(e.GetString() ?? ""))];
}
