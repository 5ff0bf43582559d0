using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.AspNetCore.Http;

namespace HostGw.FakeApi;

/// <summary>What was asked, for assertions; the oldest are forgotten beyond 100,000.</summary>
internal sealed class RequestLog(TimeProvider time)
{
    private const int Kept = 100_000;

    private readonly ConcurrentQueue<RequestRecord> _records = new();

    public ImmutableArray<RequestRecord> All => [.. _records];

    public RequestRecord Add(HttpRequest request)
    {
        var record = new RequestRecord(
            request.Method, request.Path.Value ?? "", request.QueryString.Value ?? "",
            request.Headers.UserAgent.ToString(), request.Headers.Accept.ToString(), request.Protocol, time.GetUtcNow());
        _records.Enqueue(record);
        if (_records.Count > Kept)
            _records.TryDequeue(out _);
        return record;
    }

    public void Clear() => _records.Clear();
}
