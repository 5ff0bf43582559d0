namespace HostGw.Nodes;

/// <summary>Why a watch is over.</summary>
internal enum WatchEnd
{
    /// <summary>The server ended it after the time that was asked for.</summary>
    Ordinary,

    /// <summary>The connection broke; the next watch goes on where this one was.</summary>
    Dropped,

    /// <summary>Where we were is no longer known, or is in doubt.</summary>
    MustList,

    /// <summary>The server cannot begin a watch with a list: list by pages first.</summary>
    NeedsPages,

    /// <summary>It hardly began.</summary>
    TooSoon,
}
