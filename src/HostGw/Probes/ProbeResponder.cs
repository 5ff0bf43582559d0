namespace HostGw.Probes;

/// <summary>
/// Answers questions of Nodes that come from an unprivileged port, and from each of their addresses not more than a peer asks: a flood
/// in the name of one takes nothing from the others.
/// </summary>
/// <param name="questioned">Takes the source of a question and what it says of the path, and says what the answer does.</param>
internal sealed class ProbeResponder(ProbeCounters counters, Func<Ip, ProbeFlags, ProbeFlags> questioned, TimeProvider time)
{
    private const int FirstUnprivilegedPort = 1024;

    private volatile Askers _askers = new(KnownAddresses.None);
    private long _second = time.GetTimestamp();

    public void Follow(KnownAddresses known) => _askers = new(known);

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
        Askers askers = _askers;
        if (askers.Known.IndexOf(from) is not (>= 0 and var asker))
            return Ignore(ProbeResult.UnknownSender);
        if (!askers.MayAsk(asker, IsNewSecond()))
            return Ignore(ProbeResult.RateLimited);
        ProbeFlags met = hops == ProbeDatagram.AllHops ? ProbeFlags.MetNoRouter : ProbeFlags.None;
        (asked with { Kind = ProbeKind.Answer, Flags = questioned(from, asked.Flags) | met }).Write(answer);
        counters.Count(ProbeResult.Echoed);
        return true;
    }

    private bool IsNewSecond()
    {
        if (time.GetElapsedTime(_second) < TimeSpan.FromSeconds(1))
            return false;
        _second = time.GetTimestamp();
        return true;
    }

    private bool Ignore(ProbeResult why)
    {
        counters.Count(why);
        return false;
    }

    /// <summary>How many questions each known address has asked in this second: one byte each.</summary>
    private sealed class Askers(KnownAddresses known)
    {
        // A peer that hears nothing asks twice in 0.8 s, one whose path changes twice a second more, and doctor twice a second.
        private const byte Most = 10;

        private readonly byte[] _asked = new byte[known.Count];

        public KnownAddresses Known => known;

        public bool MayAsk(int asker, bool isNewSecond)
        {
            if (isNewSecond)
                _asked.AsSpan().Clear();
            if (_asked[asker] >= Most)
                return false;
            _asked[asker]++;
            return true;
        }
    }
}
