using System.Collections.Immutable;

namespace HostGw.Lab.Probes;

/// <summary>What a flood saw: over all its paths, and which of them lost something.</summary>
/// <param name="LongestGap">Longest time between two replies on one path.</param>
public sealed record PingFloodResult(int Paths, int Sent, int Lost, TimeSpan LongestGap, ImmutableArray<string> Losses)
{
    public override string ToString() =>
        $"{Sent} pings on {Paths} paths, {Lost} lost, longest gap {LongestGap.TotalMilliseconds:0} ms{string.Concat(Losses.Select(loss => "; " + loss))}";
}
