using System.Collections.Immutable;

namespace HostGw.Probes;

/// <summary>What became of a datagram of the probes.</summary>
internal enum ProbeResult
{
    Sent,

    /// <summary>This host refused to send it.</summary>
    NotSent,

    /// <summary>A question of ours was answered, or the peer's kernel said that it arrived.</summary>
    Answered,

    /// <summary>A question of ours was not answered in time.</summary>
    Lost,

    /// <summary>A peer's question was answered.</summary>
    Echoed,

    // The others were received and ignored.

    /// <summary>Another size, or no probe at all.</summary>
    Malformed,

    UnknownVersion,

    /// <summary>A question from an address that no Node has.</summary>
    UnknownSender,

    /// <summary>A question from a port below 1024, where services listen.</summary>
    PrivilegedPort,

    /// <summary>More questions than a peer asks from one address.</summary>
    RateLimited,

    /// <summary>An answer too late, twice, from another address, or to no question of ours.</summary>
    NotAsked,
}

/// <summary>Counts datagrams and round trips. One thread writes, any number read.</summary>
internal sealed class ProbeCounters
{
    private static readonly string[] Names =
    [
        "sent", "not_sent", "answered", "lost", "echoed",
        "malformed", "unknown_version", "unknown_sender", "privileged_port", "rate_limited", "not_asked",
    ];

    private readonly long[] _results = new long[Names.Length];
    private readonly long[] _roundTrips = new long[Bounds.Length + 1];
    private double _roundTripSeconds;

    /// <summary>The upper bounds of the buckets of round trips, in seconds.</summary>
    public static ImmutableArray<double> Bounds { get; } = [50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 50e-3, 0.1, 0.5, 1];

    public long this[ProbeResult result] => Volatile.Read(ref _results[(int)result]);

    public ImmutableArray<(string Result, long Count)> Datagrams =>
        [.. Names.Select((name, i) => (name, Volatile.Read(ref _results[i])))];

    /// <summary>Round trips between pod addresses: per bucket, the last one above every bound, and their sum in seconds.</summary>
    public (ImmutableArray<long> Counts, double SumSeconds) RoundTrips =>
        ([.. Enumerable.Range(0, _roundTrips.Length).Select(i => Volatile.Read(ref _roundTrips[i]))], Volatile.Read(ref _roundTripSeconds));

    public void Count(ProbeResult result) => Volatile.Write(ref _results[(int)result], _results[(int)result] + 1);

    public void CountRoundTrip(TimeSpan roundTrip)
    {
        double seconds = roundTrip.TotalSeconds;
        int bucket = 0;
        while (bucket < Bounds.Length && seconds > Bounds[bucket])
            bucket++;
        Volatile.Write(ref _roundTrips[bucket], _roundTrips[bucket] + 1);
        Volatile.Write(ref _roundTripSeconds, _roundTripSeconds + seconds);
    }
}
