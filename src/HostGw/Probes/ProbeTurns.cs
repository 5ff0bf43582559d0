namespace HostGw.Probes;

/// <summary>
/// Whose turn it is: each peer's once in an interval, spread evenly, at most 50 a second. New ones come first, but where others' turns are
/// due only every other time: in a storm of Nodes or of changes there is always a new one.
/// </summary>
/// <param name="interval">Between two turns of one peer.</param>
internal sealed class ProbeTurns(TimeSpan interval)
{
    /// <summary>The shortest time from one turn to the next.</summary>
    private static readonly TimeSpan ShortestStep = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// Turns within this time are taken together: to wake up costs more than to ask. A quarter of the 0.8 s after which a question is lost,
    /// so that it is asked again at a tick.
    /// </summary>
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(200);

    /// <summary>The most turns that are taken together.</summary>
    public static readonly int AtOnce = (int)(Tick / ShortestStep);

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly Queue<int> _new = [];
    private bool _wasNew;
    private int _last;
    private TimeSpan _nextTick;
    private TimeSpan _nextTurn;

    // From when on another turn, of a new peer or an old one, may be taken.
    private TimeSpan _free;

    private TimeSpan Due => Later(_free, _new.Count > 0 ? TimeSpan.Zero : _nextTurn);

    /// <summary>When the next turns are due.</summary>
    /// <param name="active">How many peers there are.</param>
    public TimeSpan NextAt(int active) => active == 0 ? TimeSpan.MaxValue : Later(_nextTick, Due);

    /// <summary>A new peer, or one that is to be asked again soon.</summary>
    public void Add(int number) => _new.Enqueue(number);

    /// <summary>Begins again after there were no peers.</summary>
    /// <remarks>
    /// All are new then, and come from the first one on. Turns begin with the second half: else one of two would be that of a peer just
    /// asked, and a large cluster be met half as fast.
    /// </remarks>
    public void Restart(TimeSpan now, int active) => (_nextTurn, _last) = (now + Step(active), Math.Max((active / 2) - 1, 0));

    /// <summary>Takes the turns that are due.</summary>
    /// <param name="peers">By number; not all numbers are in use.</param>
    /// <param name="taken">Receives the numbers.</param>
    public void Take(TimeSpan now, int active, ReadOnlySpan<ProbedPeer> peers, List<int> taken)
    {
        taken.Clear();
        if (now < NextAt(active))
            return;
        // After a time without processor it does not catch up.
        _free = Later(_free, now - Tick);
        _nextTurn = now - _nextTurn > Second ? now - Tick : _nextTurn;
        for (; now >= Due; _free += ShortestStep)
            taken.Add(Next(now, active, peers));
        _nextTick = TickFrom(now + TimeSpan.FromTicks(1));
    }

    /// <summary>The first tick that is not before this time. They are those of all: what else is not urgent waits for one.</summary>
    public static TimeSpan TickFrom(TimeSpan time) => TimeSpan.FromTicks((time.Ticks + Tick.Ticks - 1) / Tick.Ticks * Tick.Ticks);

    private static TimeSpan Later(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private TimeSpan Step(int active) => Later(interval / Math.Max(active, 1), ShortestStep);

    private int Next(TimeSpan now, int active, ReadOnlySpan<ProbedPeer> peers)
    {
        bool isOldFirst = _wasNew && now >= _nextTurn;
        while (!isOldFirst && _new.TryDequeue(out int number))
        {
            if (peers[number] is not { IsTaken: true, WasAsked: false })
                continue;
            _wasNew = true;
            return number;
        }
        do
            _last = (_last + 1) % peers.Length;
        while (!peers[_last].IsTaken);
        (_wasNew, _nextTurn) = (false, _nextTurn + Step(active));
        return _last;
    }
}
