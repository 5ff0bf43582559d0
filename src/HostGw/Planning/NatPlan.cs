using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>The masquerade rule this host should have. All prefixes are aligned, sorted, and none lies inside another of its list.</summary>
/// <param name="Sources">This node's podCIDRs; empty in a family that is not masqueraded. Ignored with <see cref="NatSource.Any"/>.</param>
/// <param name="Exempt">Destinations that keep the pod's address, of both families.</param>
internal sealed record NatPlan(
    NatSource Source,
    bool IPv4,
    bool IPv6,
    bool RandomFully,
    ImmutableArray<Prefix> Sources,
    ImmutableArray<Prefix> Exempt)
{
    // Every pass makes its lists anew: they are the same where their prefixes are.
    public bool Equals(NatPlan? other) => other is not null &&
        (Source, IPv4, IPv6, RandomFully) == (other.Source, other.IPv4, other.IPv6, other.RandomFully) &&
        Sources.SequenceEqual(other.Sources) && Exempt.SequenceEqual(other.Exempt);

    public override int GetHashCode() => HashCode.Combine(Source, IPv4, IPv6, RandomFully, Sources.Length, Exempt.Length);
}
