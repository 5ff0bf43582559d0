namespace HostGw.Status.Page;

/// <summary>Everything that the page shows, as of one moment.</summary>
/// <param name="Search">Shows only peers in whose row it stands; empty: all.</param>
internal sealed record PageInput(StatusView View, ApiHealth Api, string Version, string Node, DateTimeOffset Now, string Search);
