namespace HostGw.Nodes;

/// <summary>What a watch says of an object; a listed object counts as added.</summary>
internal enum WatchEventType
{
    Unknown,
    Added,
    Modified,
    Deleted,

    /// <summary>Only the resource version means anything.</summary>
    Bookmark,

    /// <summary>The bookmark after the last node of a streaming list.</summary>
    InitialEventsEnd,

    /// <summary>The object is a Status, not a Node.</summary>
    Error,
}
