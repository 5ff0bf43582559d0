namespace HostGw.FakeApi;

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
