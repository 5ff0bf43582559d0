using HostGw.Planning;

namespace HostGw.Probes;

/// <summary>Answers questions of Nodes that come from an unprivileged port, and not more than all peers together ask.</summary>
/// <param name="questioned">Takes the source of a question and what it says of the path, and says what the answer does.</param>
internal sealed class ProbeResponder(ProbeCounters counters, Func<Ip, ProbeFlags, ProbeFlags> questioned, TimeProvider time)
{
    private const int FirstUnprivilegedPort = 1024;

    private readonly TokenBucket _rate = new(time);
    private volatile KnownAddresses _known = KnownAddresses.None;

    public void Follow(KnownAddresses known)
    {
        _known = known;
        // A peer that hears nothing asks twice in 0.8 s in each family, and all peers do when this node is at fault.
        _rate.PerSecond = Math.Clamp(known.Peers * 5, 10, 500);
    }

    /// <param name="from">The source of the question.</param>
    /// <param name="hops">How many hops the question had left to live.</param>
    /// <param name="answer">Filled if the question is answered.</param>
    public bool TryAnswer(ReadOnlySpan<byte> question, Ip from, int port, int hops, Span<byte> answer)
    {
        if (!ProbeDatagram.TryRead(question, out ProbeDatagram asked, out ProbeResult fault))
            return Ignore(fault);
        if (asked.Kind == ProbeKind.Answer)
            return Ignore(ProbeResult.NotAsked);
        if (port < FirstUnprivilegedPort)
            return Ignore(ProbeResult.PrivilegedPort);
        if (!_known.Contains(from))
            return Ignore(ProbeResult.UnknownSender);
        if (!_rate.TryTake())
            return Ignore(ProbeResult.RateLimited);
        ProbeFlags met = hops == ProbeDatagram.AllHops ? ProbeFlags.MetNoRouter : ProbeFlags.None;
        (asked with { Kind = ProbeKind.Answer, Flags = questioned(from, asked.Flags) | met }).Write(answer);
        counters.Count(ProbeResult.Echoed);
        return true;
    }

    private bool Ignore(ProbeResult why)
    {
        counters.Count(why);
        return false;
    }
}

/// <summary>Permits so many events a second on average, and those of one second at once.</summary>
internal sealed class TokenBucket(TimeProvider time)
{
    private double _tokens;
    private long _filledAt = time.GetTimestamp();

    /// <summary>Any thread may set it.</summary>
    public int PerSecond
    {
        get => Volatile.Read(ref field);
        set => Volatile.Write(ref field, value);
    }

    public bool TryTake()
    {
        long now = time.GetTimestamp();
        int perSecond = PerSecond;
        _tokens = Math.Min(perSecond, _tokens + (time.GetElapsedTime(_filledAt, now).TotalSeconds * perSecond));
        _filledAt = now;
        if (_tokens < 1)
            return false;
        _tokens--;
        return true;
    }
}
