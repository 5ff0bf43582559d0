using System.Text;
using HostGw.Platform;

namespace HostGw.Status;

/// <summary>What the status endpoint answers, apart from HTTP.</summary>
/// <param name="apiProblem">Why the API server cannot be followed at present; null while it can.</param>
internal sealed class StatusPages(StatusBoard board, IHostNetwork host, string version, string node, Func<string?> apiProblem)
{
    public HttpAnswer Get(string method, string path)
    {
        if (method is not ("GET" or "HEAD"))
            return HttpAnswer.Text("only GET is allowed", 405);
        return path switch
        {
            "/healthz" => HttpAnswer.Text("ok"),
            "/readyz" => Ready(),
            "/metrics" => new(200, "text/plain; version=0.0.4; charset=utf-8", Encoding.UTF8.GetBytes(MetricsText.Write(version, board.Last, board.Counters, apiProblem() is null, host.Writes))),
            "/status" => new(200, "application/json", StatusJson.Write(version, node, board.Last, board.Counters, apiProblem())),
            _ => HttpAnswer.Text("there are /healthz, /readyz, /metrics and /status", 404),
        };
    }

    private HttpAnswer Ready()
    {
        IReadOnlyList<string> reasons = StatusBoard.NotReady(board.Last);
        if (board.Last is null && apiProblem() is { } problem)
            reasons = [.. reasons, problem];
        return reasons.Count == 0 ? HttpAnswer.Text("ok") : HttpAnswer.Text(string.Join('\n', reasons), 503);
    }
}
