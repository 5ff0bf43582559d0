using System.Diagnostics;

namespace HostGw.Benchmarks.Whole;

/// <summary>The agent's processor time between moments that are noted, where the processor was at its full speed.</summary>
internal sealed class BusyTime(AgentProcess agent)
{
    private TimeSpan _busy, _length, _clock;
    private long _at;

    /// <summary>How many of the stretches between two moments count.</summary>
    public int Counted { get; private set; }

    public double Percent => 100 * _busy / _length;

    public void Note()
    {
        TimeSpan clock = agent.ProcessorTime;
        long now = Stopwatch.GetTimestamp();
        if (_at > 0 && ProcessorSpeed.WasFullSince(_at))
        {
            _busy += clock - _clock;
            _length += Stopwatch.GetElapsedTime(_at, now);
            Counted++;
        }
        (_clock, _at) = (clock, now);
    }
}
