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

/// <summary>One request the server got, in the order of arrival.</summary>
public sealed record RequestRecord(string Method, string Path, string Query, string UserAgent, string Accept, string Protocol, DateTimeOffset At)
{
    /// <summary>Who asked; empty until authenticated, or if never.</summary>
    public string User { get; internal set; } = "";

    /// <summary>The answer's status code; 0 until there is one.</summary>
    public int Code { get; internal set; }

    public bool IsWatch => Query.Contains("watch=1", StringComparison.Ordinal) || Query.Contains("watch=true", StringComparison.Ordinal);

    /// <summary>A watch that is to begin with a list.</summary>
    public bool IsStreamingList => Query.Contains("sendInitialEvents=true", StringComparison.Ordinal);

    /// <summary>A list, be it streaming, or one of its pages.</summary>
    public bool IsNodeList => Method == "GET" && Path == "/api/v1/nodes" && (!IsWatch || IsStreamingList);

    public override string ToString() => $"{Method} {Path}{Query} {Code}";
}
