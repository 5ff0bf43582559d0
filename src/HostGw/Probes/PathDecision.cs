using HostGw.Planning;

namespace HostGw.Probes;

/// <summary>What is known of a peer when its path is decided.</summary>
[Flags]
internal enum PathFacts : byte
{
    None = 0,

    /// <summary>The native path has answered, and not missed five in a row since.</summary>
    NativeGood = 1,

    /// <summary>The native path has answered without a loss for tunnel.nativeAfterSeconds, on the path that the peer has now.</summary>
    NativeProven = 2,

    /// <summary>The network drops pods' packets. Not known while they take the tunnel.</summary>
    NativeDropped = 4,

    TunnelGood = 8,

    /// <summary>Five in a row were missing.</summary>
    TunnelBad = 16,

    /// <summary>The peer's latest answer: it needs the tunnel itself.</summary>
    PeerWants = 32,

    /// <summary>The peer's latest answer: its packets to this node's pods take the tunnel, or will in a moment.</summary>
    PeerTunnels = 64,
}

/// <summary>The path of a peer, and what its datagrams say of it.</summary>
/// <param name="Wants">This node needs the tunnel. One that follows its peer's wish does not, until it is in the tunnel.</param>
internal readonly record struct PathState(PeerPath Path, bool Wants)
{
    public ProbeFlags Flags =>
        (Path == PeerPath.Tunnel ? ProbeFlags.TunnelsToYou : ProbeFlags.None) |
        (Wants && Path is PeerPath.Tunnel or PeerPath.Compared ? ProbeFlags.WantsTunnel : ProbeFlags.None);
}

/// <summary>Decides which path a peer's pods are reached on (tunnel.mode: auto). Pure.</summary>
/// <remarks>
/// Both ends enter the tunnel as soon as one of them needs it and both have heard the other through it. Both want to stay there until
/// the first one of them has had answers on the native path for long enough: it lets go, and the other one, whose native path answers
/// too, does so at once. Whoever sees that neither wants it any more leaves. A network that drops packets from time to time never gets
/// that far. Silence shows nothing: neither that of a peer's agent, whose host goes on without it, nor that of the tunnel alone.
/// <code>
/// now       what is known                                                next
/// Native    pods' packets are dropped                                    Compared, wants the tunnel
///           the peer wants the tunnel, or is in it                       Compared
/// Compared  the tunnel answers; this node wants it                       Tunnel
///           the tunnel answers; the peer wants it and is in it           Tunnel
///           the native path is proven                                    Native (Compared while the peer wants the tunnel or is in it)
/// Tunnel    the tunnel is silent; the native path is good                as above
///           the tunnel is silent; the peer neither wants it nor is in it Compared, wants the tunnel
///           the native path is not good                                  Tunnel
///           the native path is good; the peer wants the tunnel           Tunnel, which it wants until its native path is proven
///           the native path is good; the peer does not want the tunnel   Native (Compared while the peer is in it)
/// otherwise                                                              as it is
/// </code>
/// Beyond this segment the native path is that of routers; where this host has no route to one, it is never good.
/// </remarks>
internal static class PathDecision
{
    private const PathFacts PeerNeeds = PathFacts.PeerWants | PathFacts.PeerTunnels;

    /// <summary>The state of a peer that is followed from now on: what an earlier run of the agent left installed goes on.</summary>
    /// <param name="isTunnelled">The route to its pods leads into the tunnel.</param>
    /// <param name="isCompared">That to its SOURCE does.</param>
    public static PathState First(TunnelMode mode, bool isTunnelled, bool isCompared) => mode switch
    {
        TunnelMode.Off => default,
        TunnelMode.Auto when !isTunnelled => new(isCompared ? PeerPath.Compared : PeerPath.Native, false),
        _ => new(PeerPath.Tunnel, true),
    };

    public static PathState Next(PathState now, PathFacts facts) => now.Path switch
    {
        PeerPath.Native => Outside(Wants(now, facts), facts),
        PeerPath.Compared => Compared(Wants(now, facts), facts),
        _ => InTunnel(facts),
    };

    private static bool Wants(PathState now, PathFacts facts) =>
        Has(facts, PathFacts.NativeDropped) || (now.Wants && !Has(facts, PathFacts.NativeProven));

    private static PathState Outside(bool wants, PathFacts facts) =>
        new(wants || Has(facts, PeerNeeds) ? PeerPath.Compared : PeerPath.Native, wants);

    // Not back at once: a peer that says one thing and then another must not cause a change of routes each time.
    // Nor into the tunnel with one that is just leaving it.
    private static PathState Compared(bool wants, PathFacts facts) =>
        Has(facts, PathFacts.TunnelGood) && (wants || (facts & PeerNeeds) == PeerNeeds) ? new(PeerPath.Tunnel, true)
        : Has(facts, PathFacts.NativeProven) ? Outside(wants, facts)
        : new(PeerPath.Compared, wants);

    private static PathState InTunnel(PathFacts facts)
    {
        bool isNativeGood = Has(facts, PathFacts.NativeGood);
        // A peer that is in no tunnel takes nothing out of ours. Silence alone shows nothing better: the native path must have answered.
        if (Has(facts, PathFacts.TunnelBad) && (isNativeGood || !Has(facts, PeerNeeds)))
            return Outside(wants: !isNativeGood, facts);
        bool isProven = Has(facts, PathFacts.NativeProven), peerWants = Has(facts, PathFacts.PeerWants);
        bool wants = !isNativeGood || (peerWants && !isProven);
        return wants || peerWants ? new(PeerPath.Tunnel, wants) : Outside(wants: false, facts);
    }

    private static bool Has(PathFacts facts, PathFacts any) => (facts & any) != 0;
}

/// <summary>
/// What the questions on one path have shown. One answer makes it good, five missing in a row make it bad; after five in a row that this
/// host could not send nothing is known any more.
/// </summary>
internal struct PathEvidence
{
    private const byte Enough = 5;
    private const byte Good = 8;
    private const byte Known = 15;
    private const byte Unsent = 16;

    // How many are missing, whether it is good, and how many could not be sent.
    private byte _state;

    /// <summary>Neither good nor bad: nothing is known yet.</summary>
    public readonly bool IsGood => (_state & Good) != 0;

    public readonly bool IsBad => (_state & Known) == Enough;

    /// <summary>The latest question was answered.</summary>
    public readonly bool IsSteady => _state == Good;

    public readonly bool IsUnsendable => _state == Enough * Unsent;

    public void Answered() => _state = Good;

    /// <returns>Whether more may come of asking again soon.</returns>
    public bool Missed()
    {
        _state &= Known;
        if (IsBad)
            return false;
        _state++;
        if ((_state & ~Good) == Enough)
            _state = Enough;
        return !IsBad;
    }

    public void NotSent()
    {
        if (!IsUnsendable)
            _state += Unsent;
        if (_state >= Enough * Unsent)
            _state = Enough * Unsent;
    }
}
