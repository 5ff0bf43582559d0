namespace HostGw.FakeApi;

/// <summary>How a <see cref="FakeApiServer"/> starts.</summary>
public sealed record FakeApiOptions
{
    /// <summary>Where to listen; port 0 picks one and keeps it over stop and start.</summary>
    public IReadOnlyList<IPEndPoint> Listen { get; init; } = [new(IPAddress.Loopback, 0)];

    /// <summary>Names and addresses the certificate is valid for, besides localhost, the loopback addresses and those listened on.</summary>
    public IReadOnlyList<string> ServerNames { get; init; } = [];

    /// <summary>How long a watch with allowWatchBookmarks may be quiet before a BOOKMARK.</summary>
    public TimeSpan BookmarkPeriod { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Writes remembered per kind; older revisions are 410.</summary>
    public int HistoryCapacity { get; init; } = 8192;

    /// <summary>Whether a watch with sendInitialEvents is served (Kubernetes ≥ 1.32) or is 422.</summary>
    public bool StreamingLists { get; init; } = true;

    /// <summary>For creation times, token lifetimes and the request log.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
