namespace HostGw.Status;

/// <summary>When which Event is sent.</summary>
internal static class EventPace
{
    /// <summary>What goes away sooner (a node that joins has no podCIDR for a moment) is no Event. Up to twice as long, so that not all nodes speak at once.</summary>
    public static readonly TimeSpan Settle = TimeSpan.FromSeconds(10);

    /// <summary>A problem that stays is said again before API servers forget its Event (--event-ttl, 1 h).</summary>
    public static readonly TimeSpan Renewal = TimeSpan.FromMinutes(45);

    /// <summary>One that comes and goes raises its count at most this often.</summary>
    public static readonly TimeSpan Repetition = TimeSpan.FromMinutes(5);

    /// <summary>How long one that went is remembered.</summary>
    public static readonly TimeSpan Memory = TimeSpan.FromHours(1);

    /// <summary>Between two Events, whatever they say, after the first few.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    public const int AtOnce = 10;

    /// <summary>Problems with an Event at a time; `hostgw status` lists all.</summary>
    public const int Most = 20;
}
