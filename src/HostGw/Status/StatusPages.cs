using System.Collections.Immutable;
using System.Text;
using HostGw.Platform;
using HostGw.Status.Page;

namespace HostGw.Status;

/// <summary>What the status endpoint serves under each path.</summary>
internal sealed class StatusPages(
    StatusBoard board, string version, string node, Func<ApiHealth> api, Func<ProbeStatus> probes, TimeProvider time)
{
    /// <summary>Reads what the guards have dropped. Asked for metrics only.</summary>
    public Func<ImmutableArray<GuardDrops>> GuardDrops { get; init; } = static () => [];

    private StatusView View => board.View with { Probes = probes() };

    public HttpResponse Get(HttpRequest request)
    {
        if (request.Method is not ("GET" or "HEAD"))
            return HttpResponse.Text("only GET and HEAD are allowed", 405);
        return request.Path switch
        {
            "/" => Page(request.Search),
            "/healthz" => board.Stuck is { } stuck ? HttpResponse.Text(stuck, 503) : HttpResponse.Text("ok"),
            "/readyz" => Ready(),
            "/metrics" => new(200, "text/plain; version=0.0.4; charset=utf-8",
                Encoding.UTF8.GetBytes(Metrics.Write(version, View with { GuardDrops = GuardDrops() }, api()))),
            "/status" => new(200, "application/json", StatusJson.Write(version, node, View, api().Problem)),
            _ => HttpResponse.Text("not found; the paths are /, /healthz, /readyz, /metrics and /status", 404),
        };
    }

    private HttpResponse Page(string search)
    {
        byte[] page = StatusPage.Write(new(View, api(), version, node, time.GetUtcNow(), search));
        return new(200, "text/html; charset=utf-8", page) { SecurityPolicy = PageFrame.SecurityPolicy };
    }

    private HttpResponse Ready()
    {
        StatusView view = board.View;
        IReadOnlyList<string> reasons = view.NotReady;
        if (view.Last is null && api().Problem is { } problem)
            reasons = [.. reasons, problem];
        return reasons.Count == 0 ? HttpResponse.Text("ok") : HttpResponse.Text(string.Join('\n', reasons), 503);
    }
}

/// <summary>The state of the connection to the API server.</summary>
/// <param name="Problem">Why nodes cannot be watched; null while they can.</param>
/// <param name="ResourceVersion">The latest one received; empty before the first list.</param>
/// <param name="ListedAt">When the last complete list was received.</param>
/// <param name="ReceivedAt">When the last list, event or bookmark was received.</param>
/// <param name="Failures">Failed attempts to list or watch since the start.</param>
internal readonly record struct ApiHealth(
    string? Problem, string ResourceVersion = "", DateTimeOffset? ListedAt = null, DateTimeOffset? ReceivedAt = null, long Failures = 0);
