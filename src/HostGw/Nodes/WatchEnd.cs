namespace HostGw.Nodes;

/// <summary>Why a watch is over.</summary>
/// <remarks>No enum: Polly is generic over it, and over a class nothing of that is compiled at start.</remarks>
internal sealed class WatchEnd
{
    /// <summary>The server ended it after the time that was asked for.</summary>
    public static readonly WatchEnd Ordinary = new();

    /// <summary>The connection broke; the next watch goes on where this one was.</summary>
    public static readonly WatchEnd Dropped = new();

    /// <summary>Where we were is no longer known, or is in doubt.</summary>
    public static readonly WatchEnd MustList = new();

    /// <summary>The server cannot begin a watch with a list: list by pages first.</summary>
    public static readonly WatchEnd NeedsPages = new();

    /// <summary>All nodes are to be read by quorum.</summary>
    public static readonly WatchEnd Interrupted = new();

    /// <summary>It hardly began.</summary>
    public static readonly WatchEnd TooSoon = new();
}
