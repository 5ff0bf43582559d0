using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>The CNI configuration that this node should have.</summary>
/// <param name="PodCidrs">This node's, in the order of the API: the first one gives pods their primary address.</param>
/// <param name="Mtu">Of pods' interfaces, in bytes; 0: not known while the uplink is missing.</param>
internal sealed record CniPlan(ImmutableArray<Prefix> PodCidrs, int Mtu)
{
    /// <summary>On Windows, where the CNI plugin masquerades; null on Linux, where a rule of the host does.</summary>
    public PodPolicies? Policies { get; init; }

    /// <param name="v4">The interfaces towards peers in IPv4.</param>
    /// <param name="v6">The same in IPv6.</param>
    public static CniPlan For(ImmutableArray<Prefix> own, ImmutableArray<HostInterface> v4, ImmutableArray<HostInterface> v6)
    {
        HostInterface[][] used = [.. own.Select(p => (p.IsIPv4 ? v4 : v6).Where(i => i.IsUp).ToArray())];
        bool isKnown = used.Length > 0 && used.All(u => u.Length > 0);
        return new([.. own.Select(p => p.Aligned).Distinct()], isKnown ? used.Min(u => u.Min(i => i.Mtu)) : 0);
    }

    // Each pass builds new arrays, so the prefixes are compared, not the references.
    public bool Equals(CniPlan? other) =>
        other is not null && Mtu == other.Mtu && PodCidrs.SequenceEqual(other.PodCidrs) && Policies == other.Policies;

    public override int GetHashCode() => HashCode.Combine(Mtu, PodCidrs.Length);
}

/// <summary>The endpoint policies of a Windows node's pods.</summary>
/// <param name="Nat">Null: no masquerading.</param>
/// <param name="Services">Service CIDRs, which the pod sends to the host.</param>
internal sealed record PodPolicies(NatPlan? Nat, ImmutableArray<Prefix> Services)
{
    public bool Equals(PodPolicies? other) => other is not null && Nat == other.Nat && Services.SequenceEqual(other.Services);

    public override int GetHashCode() => HashCode.Combine(Nat, Services.Length);
}
