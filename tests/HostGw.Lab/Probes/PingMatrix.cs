using System.Collections.Immutable;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Probes;

/// <summary>Every pod pings every other, in both families, and asks 'outside' which address it sees.</summary>
public sealed class PingMatrix
{
    private readonly Dictionary<(Pod From, IPAddress To), TimeSpan?> _replies;
    private readonly Dictionary<(Pod From, IPAddress To), IPAddress?> _sources;

    private PingMatrix(
        ImmutableArray<Pod> pods, Dictionary<(Pod, IPAddress), TimeSpan?> replies, Dictionary<(Pod, IPAddress), IPAddress?> sources)
    {
        Pods = pods;
        _replies = replies;
        _sources = sources;
    }

    public ImmutableArray<Pod> Pods { get; }

    public int Pings => _replies.Count;

    public int Answered => _replies.Count(reply => reply.Value is not null);

    /// <summary>Pings without a reply, as "from -> to".</summary>
    public IEnumerable<string> Unanswered =>
        _replies.Where(reply => reply.Value is null).Select(reply => $"{reply.Key.From.Name} -> {reply.Key.To}");

    /// <summary>Pods that see something else than the pod's own address, as "from -> to saw address".</summary>
    public IEnumerable<string> ForeignSources => _sources
        .Where(pair => !pair.Key.From.Addresses.Any(own => own.Equals(pair.Value)) && !Addressing.Outside.Contains(pair.Key.To))
        .Select(pair => $"{pair.Key.From.Name} -> {pair.Key.To} saw {pair.Value?.ToString() ?? "nothing"}");

    public static PingMatrix Measure(IEnumerable<Pod> pods, TimeSpan timeout)
    {
        ImmutableArray<Pod> all = [.. pods];
        (Pod From, IPAddress To)[] pairs =
            [.. from a in all from b in all where a != b from address in b.Addresses select (a, address)];
        (Pod From, IPAddress To)[] outside = [.. from pod in all from address in Addressing.Outside select (pod, address)];

        var replies = pairs.AsParallel().WithDegreeOfParallelism(8).ToDictionary(p => p, p => Ping.Once(p.From.Network, p.To, timeout));
        var sources = pairs.Concat(outside).AsParallel().WithDegreeOfParallelism(8)
            .ToDictionary(p => p, p => SourceEcho.Ask(p.From.Network, p.To, timeout));
        return new(all, replies, sources);
    }

    /// <summary>Null if there was no reply.</summary>
    public TimeSpan? Reply(Pod from, IPAddress to) => _replies[(from, to)];

    /// <summary>The source address that the other side saw; null if it did not answer.</summary>
    public IPAddress? Source(Pod from, IPAddress to) => _sources[(from, to)];
}
