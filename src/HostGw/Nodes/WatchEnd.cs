namespace HostGw.Nodes;

/// <summary>Why a watch is over.</summary>
/// <remarks>No enum: Polly is generic over it, and over a class nothing of that is compiled at start.</remarks>
internal sealed class WatchEnd
{
    /// <summary>The server ended it after the time that was asked for.</summary>
    public static readonly WatchEnd Ordinary = new();

    /// <summary>The connection broke, or where we were is no longer known.</summary>
    public static readonly WatchEnd Dropped = new();

    /// <summary>The server cannot begin a watch with a list: list by pages first.</summary>
    public static readonly WatchEnd NeedsPages = new();

    /// <summary>All nodes are to be read by quorum.</summary>
    public static readonly WatchEnd Interrupted = new();

    /// <summary>It hardly began.</summary>
    public static readonly WatchEnd TooSoon = new();
}
