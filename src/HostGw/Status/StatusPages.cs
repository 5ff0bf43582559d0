using System.Text;
using HostGw.Platform;

namespace HostGw.Status;

/// <summary>What the status endpoint answers, apart from HTTP.</summary>
internal sealed class StatusPages(StatusBoard board, IHostNetwork host, string version, string node, Func<ApiHealth> api)
{
    public HttpAnswer Get(string method, string path)
    {
        if (method is not ("GET" or "HEAD"))
            return HttpAnswer.Text("only GET is allowed", 405);
        return path switch
        {
            "/healthz" => HttpAnswer.Text("ok"),
            "/readyz" => Ready(),
            "/metrics" => new(200, "text/plain; version=0.0.4; charset=utf-8", Encoding.UTF8.GetBytes(MetricsText.Write(version, board.Last, board.Counters, api(), host.Writes))),
            "/status" => new(200, "application/json", StatusJson.Write(version, node, board.Last, board.Counters, api().Problem)),
            _ => HttpAnswer.Text("there are /healthz, /readyz, /metrics and /status", 404),
        };
    }

    private HttpAnswer Ready()
    {
        IReadOnlyList<string> reasons = StatusBoard.NotReady(board.Last);
        if (board.Last is null && api().Problem is { } problem)
            reasons = [.. reasons, problem];
        return reasons.Count == 0 ? HttpAnswer.Text("ok") : HttpAnswer.Text(string.Join('\n', reasons), 503);
    }
}
