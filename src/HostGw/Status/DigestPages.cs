using System.Globalization;
using System.Text;
using System.Text.Json;
using HostGw.Digest;
using HostGw.Kubernetes;
using static HostGw.Status.MetricsWriter;

namespace HostGw.Status;

/// <summary>What the status endpoint of the digest serves. The answers hold counts and reasons, and no Node.</summary>
internal sealed class DigestPages(Func<DigestView> view, string version, TimeProvider time)
{
    private const int SchemaVersion = 1;

    // The writer takes a turn at least every 30 s.
    private static readonly TimeSpan Stuck = TimeSpan.FromMinutes(5);

    private readonly DateTimeOffset _startedAt = time.GetUtcNow();

    public HttpResponse Get(HttpRequest request)
    {
        if (request.Method is not ("GET" or "HEAD"))
            return HttpResponse.Text("only GET and HEAD are allowed", 405);
        DigestView now = view();
        return request.Path switch
        {
            "/healthz" => Health(now.State),
            "/readyz" => now.NotReady is { } reason ? HttpResponse.Text(reason, 503) : HttpResponse.Text("ok"),
            "/metrics" => new(200, "text/plain; version=0.0.4; charset=utf-8", Encoding.UTF8.GetBytes(Metrics(now))),
            "/status" => new(200, "application/json", Status(now)),
            _ => HttpResponse.Text("not found; the paths are /healthz, /readyz, /metrics and /status", 404),
        };
    }

    private HttpResponse Health(DigestState state)
    {
        TimeSpan age = time.GetUtcNow() - (state.At > _startedAt ? state.At : _startedAt);
        return age > Stuck ? HttpResponse.Text($"the digest has done nothing for {age.TotalSeconds:0} s", 503) : HttpResponse.Text("ok");
    }

    private string Metrics(DigestView now)
    {
        DigestState state = now.State;
        MetricsWriter metrics = new();
        metrics.Gauge("hostgw_digest_info", "Always 1; the label is the version.", (Labels(("version", version)), 1));
        metrics.Gauge("hostgw_digest_shards", "Shards, by whether they are as the Nodes require.",
            (State("current"), state.Current), (State("waiting"), state.Waiting), (State("refused"), state.Refused.Length));
        metrics.Gauge("hostgw_digest_nodes", "Nodes in the shards.", state.Nodes);
        metrics.Counter("hostgw_digest_writes_total",
            "Attempts to write a shard, by how they ended; behind: left as it is, because it reflects later Nodes.",
            (Result("written"), state.Counts.Written), (Result("conflict"), state.Counts.Conflict), (Result("behind"), state.Counts.Behind),
            (Result("too_large"), state.Counts.TooLarge), (Result("refused"), state.Counts.Refused),
            (Result("failed"), state.Counts.Failed));
        metrics.Gauge("hostgw_digest_watch_problem", "1 while Nodes or shards cannot be watched.", now.WatchProblem is null ? 0 : 1);
        WriteTime(metrics, "hostgw_digest_last_write_timestamp_seconds", "When a shard was last written.", state.WrittenAt);
        WriteTime(metrics, "hostgw_digest_lease_renewed_timestamp_seconds", "When this digest last renewed its Lease.", now.LeaseRenewedAt);
        if (ulong.TryParse(state.Source, NumberStyles.None, CultureInfo.InvariantCulture, out ulong source))
            metrics.Gauge("hostgw_digest_source_resource_version", "The latest resource version of Nodes that was received.", source);
        return metrics.ToString();

        static string State(string state) => Labels(("state", state));

        static string Result(string result) => Labels(("result", result));
    }

    private static void WriteTime(MetricsWriter metrics, string name, string help, DateTimeOffset? at)
    {
        if (at is { } known)
            metrics.Gauge(name, help, known.ToUnixTimeMilliseconds() / 1000.0);
    }

    private ReadOnlyMemory<byte> Status(DigestView now) => JsonText.Document(json =>
    {
        DigestState state = now.State;
        json.WriteNumber("schemaVersion", SchemaVersion);
        json.WriteString("version", version);
        json.WriteBoolean("ready", now.NotReady is null);
        json.WriteString("notReady", now.NotReady ?? "");
        json.WriteString("watchProblem", now.WatchProblem ?? "");
        json.WriteString("problem", state.Problem ?? "");
        json.WriteString("source", state.Source);
        json.WriteString("labels", now.Labels);
        json.WriteNumber("nodes", state.Nodes);
        json.WriteStartObject("shards");
        json.WriteNumber("current", state.Current);
        json.WriteNumber("waiting", state.Waiting);
        json.WriteStartArray("refused");
        foreach (ShardProblem refused in state.Refused)
            WriteRefused(json, refused);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteStartObject("lease");
        json.WriteString("holder", now.LeaseHolder);
        WriteTime(json, "renewedAt", now.LeaseRenewedAt);
        json.WriteString("problem", now.LeaseProblem ?? "");
        json.WriteEndObject();
        WriteTime(json, "writtenAt", state.WrittenAt);
    });

    private static void WriteRefused(Utf8JsonWriter json, ShardProblem refused)
    {
        json.WriteStartObject();
        json.WriteString("shard", ShardFormat.Name(refused.Shard));
        json.WriteString("reason", refused.Reason);
        json.WriteEndObject();
    }

    private static void WriteTime(Utf8JsonWriter json, string name, DateTimeOffset? at)
    {
        if (at is { } known)
            json.WriteString(name, known.UtcDateTime);
        else
            json.WriteNull(name);
    }
}

/// <summary>What the digest's pages show.</summary>
/// <param name="WatchProblem">What cannot be watched, and why; null: both Nodes and shards can.</param>
internal sealed record DigestView(DigestState State, string? WatchProblem)
{
    public string Labels { get; init; } = "";

    public string LeaseHolder { get; init; } = "";

    public DateTimeOffset? LeaseRenewedAt { get; init; }

    /// <summary>Why the Lease is not renewed; null: it is.</summary>
    public string? LeaseProblem { get; init; }

    /// <inheritdoc cref="LeaseCondition.Obstacle"/>
    public string? Obstacle { get; init; }

    /// <summary>Null: all shards have been written, and nothing keeps them from being up to date.</summary>
    public string? NotReady => Obstacle ??
        (State.WasComplete ? null : $"{ShardFormat.Count - State.Current} shards are not written yet{Because}");

    public static DigestView Of(DigestState state, ReflectorHealth nodes, ReflectorHealth shards, DateTimeOffset now) =>
        new(state, LeaseCondition.Unwatched(nodes, shards, now)) { Obstacle = LeaseCondition.Obstacle(nodes, shards, state, now) };

    private string Because => State.Problem is { } problem ? $": {problem}" : "";
}
