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
    ImmutableArray<Prefix> Exempt);
