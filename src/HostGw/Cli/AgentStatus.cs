using System.Globalization;
using System.Text.Json;
using HostGw.Planning;
using HostGw.Status;

namespace HostGw.Cli;

/// <summary>The status of the agent on this host, as it answers where it listens.</summary>
internal static class AgentStatus
{
    private static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(10);

    /// <exception cref="HttpRequestException">No agent answers.</exception>
    /// <exception cref="TaskCanceledException">It takes too long, or the caller cancels.</exception>
    public static async Task<byte[]> AskAsync(IPEndPoint listen, CancellationToken cancellationToken)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = AnswerTimeout };
        return await client.GetByteArrayAsync($"http://{Reachable(listen)}/status", cancellationToken);
    }

    public static bool IsUnanswered(Exception error, CancellationToken cancellationToken) =>
        error is HttpRequestException || (error is TaskCanceledException && !cancellationToken.IsCancellationRequested);

    /// <summary>Null: it is no status of a compatible agent.</summary>
    public static JsonDocument? Parse(byte[] answer)
    {
        try
        {
            var status = JsonDocument.Parse(answer);
            return IsKnown(status.RootElement) ? status : null;
        }
        // A text with half a surrogate pair is an InvalidOperationException.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Also false of an agent of an earlier version, which says nothing of probes.</summary>
    public static bool HasProbes(JsonElement status) => Property(status, "probes") is { ValueKind: JsonValueKind.True };

    /// <summary>What its probes say; off where no agent answers, or one without probes.</summary>
    public static async Task<Reachability> AskReachabilityAsync(IPEndPoint listen, CancellationToken cancellationToken)
    {
        try
        {
            using JsonDocument? status = Parse(await AskAsync(listen, cancellationToken));
            return status is null || !HasProbes(status.RootElement) ? Reachability.Off : new(Reaches(status.RootElement).ToArray())
            {
                Fault = Text(status.RootElement, "probeFault"),
            };
        }
        catch (Exception e) when (IsUnanswered(e, cancellationToken) || e is InvalidOperationException)
        {
            return Reachability.Off;
        }
    }

    private static IEnumerable<(Prefix PodCidr, Reach Reach)> Reaches(JsonElement status) =>
        from node in Items(status, "nodes")
        from podCidr in Items(node, "podCidrs")
        where Prefix.TryParse(Text(podCidr, "podCidr"), out _)
        select (Prefix.Parse(Text(podCidr, "podCidr")), new Reach(ReachNames.Parse(Text(podCidr, "reachability")), Since(podCidr), 0)
        {
            PodsFellSilent = Property(podCidr, "podsFellSilent") is { ValueKind: JsonValueKind.True },
            Path = PathNames.Parse(Text(podCidr, "path")),
            Native = ReachNames.Parse(Text(podCidr, "nativeReachability")),
        });

    private static JsonElement.ArrayEnumerator Items(JsonElement element, string name) =>
        Property(element, name) is { ValueKind: JsonValueKind.Array } items ? items.EnumerateArray() : default;

    private static string Text(JsonElement element, string name) =>
        Property(element, name) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : "";

    private static uint Since(JsonElement podCidr) =>
        DateTimeOffset.TryParse(Text(podCidr, "since"), CultureInfo.InvariantCulture, out DateTimeOffset since) &&
        since.ToUnixTimeSeconds() is > 0 and <= uint.MaxValue and var seconds ? (uint)seconds : 0;

    private static JsonElement? Property(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) ? value : null;

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
