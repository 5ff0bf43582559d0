using System.Text.Json;
using HostGw.Kubernetes;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HostGw.Nodes;

/// <summary>Clears the condition NetworkUnavailable of this node, where it has one, once its network stands. Clouds set it, and while it is True no pod comes.</summary>
/// <remarks>https://kubernetes.io/docs/reference/node/node-status/#condition</remarks>
internal sealed class NetworkUnavailable(ApiClient client, string node, TimeProvider time, ILogger<NetworkUnavailable> logger) : BackgroundService
{
    public static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(5);

    // It is set when a node joins, and hardly ever again; and every node asks.
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource _stands = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TimeSpan _retry = FirstRetry;
    private string _said = "";

    /// <summary>Routes and NAT are there. Once is enough.</summary>
    public void NetworkStands() => _stands.TrySetResult();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await _stands.Task.WaitAsync(stoppingToken);
        while (true)
            await Task.Delay(await TryAsync(stoppingToken), time, stoppingToken);
    }

    /// <summary>Returns when to try or to look again.</summary>
    private async Task<TimeSpan> TryAsync(CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            if (await StandsAsync(either.Token))
            {
                await client.PatchNodeStatusAsync(node, Patch(time.GetUtcNow()), either.Token);
                logger.NetworkUnavailableCleared(node);
            }
            (_retry, _said) = (FirstRetry, "");
            return Interval * (1 + 0.2 * Random.Shared.NextDouble());
        }
        catch (Exception e) when (e is ApiException or IOException or JsonException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return AfterFailure(e is OperationCanceledException ? $"no answer within {Patience.TotalSeconds:0} s" : e.Message, WatchRetry.AskedFor(e));
        }
    }

    private TimeSpan AfterFailure(string reason, TimeSpan? askedFor)
    {
        TimeSpan wait = askedFor > _retry ? askedFor.Value : _retry;
        if (reason != _said)
            logger.NetworkUnavailableStays(wait.TotalSeconds, reason);
        _said = reason;
        _retry = _retry * 2 < Interval ? _retry * 2 : Interval;
        return wait;
    }

    private async Task<bool> StandsAsync(CancellationToken cancellationToken)
    {
        using ApiResponse response = await client.GetNodeAsync(node, cancellationToken);
        using JsonDocument document = await JsonDocument.ParseAsync(response.Body, default, cancellationToken);
        return Member(Member(document.RootElement, "status"), "conditions") is { ValueKind: JsonValueKind.Array } conditions &&
            conditions.EnumerateArray().Any(c => Text(c, "type") == "NetworkUnavailable" && Text(c, "status") != "False");
    }

    private static JsonElement Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) ? value : default;

    private static string? Text(JsonElement element, string name) =>
        Member(element, name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    // Conditions are merged by their type: the others stay.
    private static byte[] Patch(DateTimeOffset now)
    {
        string at = Rfc3339.Text(now);
        return JsonForm.Object(json =>
        {
            json.WriteStartObject("status");
            json.WriteStartArray("conditions");
            json.WriteStartObject();
            json.WriteString("type", "NetworkUnavailable");
            json.WriteString("status", "False");
            json.WriteString("reason", "HostGwRoutesStand");
            json.WriteString("message", "hostgw made this node's routes");
            json.WriteString("lastHeartbeatTime", at);
            json.WriteString("lastTransitionTime", at);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }).ToArray();
    }
}
