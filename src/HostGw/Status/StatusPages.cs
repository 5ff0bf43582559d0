using System.Text;
using HostGw.Platform;

namespace HostGw.Status;

/// <summary>What the status endpoint answers, apart from HTTP.</summary>
internal sealed class StatusPages(StatusBoard board, IHostNetwork host, string version, string node)
{
    private const string Text = "text/plain; charset=utf-8";

    public (int Status, string ContentType, ReadOnlyMemory<byte> Body) Get(string method, string path)
    {
        if (method is not ("GET" or "HEAD"))
            return (405, Text, Utf8("only GET is allowed\n"));
        return path switch
        {
            "/healthz" => (200, Text, Utf8("ok\n")),
            "/readyz" => Ready(),
            "/metrics" => (200, "text/plain; version=0.0.4; charset=utf-8", Utf8(MetricsText.Write(version, board.Last, board.Counters, host.Writes))),
            "/status" => (200, "application/json", StatusJson.Write(version, node, board.Last, board.Counters)),
            _ => (404, Text, Utf8("there are /healthz, /readyz, /metrics and /status\n")),
        };
    }

    private (int, string, ReadOnlyMemory<byte>) Ready()
    {
        IReadOnlyList<string> reasons = StatusBoard.NotReady(board.Last);
        return reasons.Count == 0 ? (200, Text, Utf8("ok\n")) : (503, Text, Utf8(string.Join('\n', reasons) + "\n"));
    }

    private static ReadOnlyMemory<byte> Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
