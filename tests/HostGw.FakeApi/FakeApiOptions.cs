using System.Net.Sockets;

namespace HostGw.FakeApi;

/// <summary>How a <see cref="FakeApiServer"/> starts.</summary>
public sealed record FakeApiOptions
{
    /// <summary>Where to listen; port 0 picks one and keeps it over stop and start.</summary>
    public IReadOnlyList<IPEndPoint> Listen { get; init; } = [new(IPAddress.Loopback, 0)];

    /// <summary>Where to listen without TLS, which thousands of clients in one process could not afford; as <see cref="Listen"/>.</summary>
    public IReadOnlyList<IPEndPoint> PlainListen { get; init; } = [];

    /// <summary>Makes the listening sockets, bound but not yet listening, for instance in another network namespace; null: here.</summary>
    public Func<EndPoint, Socket>? Bind { get; init; }

    /// <summary>Names and addresses the certificate is valid for, besides localhost, the loopback addresses and those listened on.</summary>
    public IReadOnlyList<string> ServerNames { get; init; } = [];

    /// <summary>Between two BOOKMARKs of a watch with allowWatchBookmarks.</summary>
    public TimeSpan BookmarkPeriod { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Writes remembered per kind; older revisions are 410.</summary>
    public int HistoryCapacity { get; init; } = 8192;

    /// <summary>How many connections may be open; one more is closed at once. Null: any number.</summary>
    public int? MostConnections { get; init; }

    /// <summary>How many lists of collections are sent at once, streaming ones included; others wait, or are 429.</summary>
    public int ListsAtOnce { get; init; } = 10_000;

    /// <summary>What becomes of a watch with sendInitialEvents.</summary>
    public StreamingLists StreamingLists { get; init; }

    /// <summary>Whether Nodes and Status objects are sent as protobuf where a client asks; false: as JSON, as by an old proxy.</summary>
    public bool Protobuf { get; init; } = true;

    /// <summary>For creation times, token lifetimes, the request log, bookmarks and the end of watches.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>What servers do when asked for a list as the beginning of a watch.</summary>
public enum StreamingLists
{
    /// <summary>Kubernetes 1.32, and from 1.34 on.</summary>
    Served,

    /// <summary>422: the feature is off.</summary>
    Refused,

    /// <summary>The question is not understood: an ordinary watch begins.</summary>
    Ignored,
}
