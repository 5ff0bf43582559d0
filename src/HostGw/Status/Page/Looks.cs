namespace HostGw.Status.Page;

/// <summary>How a state looks: never by its colour alone.</summary>
internal static class Looks
{
    public static string Class(PeerState state) => PeerStates.ConcernOf(state) switch
    {
        Concern.None => "good",
        Concern.Asked => "asked",
        Concern.Waits => "waits",
        _ => "wrong",
    };

    public static string Sign(PeerState state) => PeerStates.ConcernOf(state) switch
    {
        Concern.None => "✓",
        Concern.Asked => "–",
        Concern.Waits => "…",
        _ => "✗",
    };
}
