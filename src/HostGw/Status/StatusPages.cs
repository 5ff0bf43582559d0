using System.Text;
using HostGw.Status.Page;

namespace HostGw.Status;

/// <summary>What the status endpoint answers, apart from HTTP.</summary>
internal sealed class StatusPages(StatusBoard board, string version, string node, Func<ApiHealth> api, TimeProvider time)
{
    /// <param name="search">Of the page: shows only peers in whose row it stands.</param>
    public HttpAnswer Get(string method, string path, string search)
    {
        if (method is not ("GET" or "HEAD"))
            return HttpAnswer.Text("only GET is allowed", 405);
        return path switch
        {
            "/" => new(200, "text/html; charset=utf-8", StatusPage.Write(new(board.View, api(), version, node, time.GetUtcNow(), search))) { Policy = PageFrame.Policy },
            "/healthz" => board.Stuck is { } stuck ? HttpAnswer.Text(stuck, 503) : HttpAnswer.Text("ok"),
            "/readyz" => Ready(),
            "/metrics" => new(200, "text/plain; version=0.0.4; charset=utf-8", Encoding.UTF8.GetBytes(MetricsText.Write(version, board.Last, board.Counters, api()))),
            "/status" => new(200, "application/json", StatusJson.Write(version, node, board.Last, board.Counters, api().Problem)),
            _ => HttpAnswer.Text("there are /, /healthz, /readyz, /metrics and /status", 404),
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
