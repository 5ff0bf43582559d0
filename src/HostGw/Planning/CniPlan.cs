using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>The CNI configuration that this node should have.</summary>
/// <param name="PodCidrs">This node's, in the order of the API: the first one gives pods their primary address.</param>
/// <param name="Mtu">Of pods' interfaces, in bytes; 0: not known while the uplink is missing.</param>
internal sealed record CniPlan(ImmutableArray<Prefix> PodCidrs, int Mtu)
{
    /// <summary>On Windows, where the CNI plugin masquerades; null on Linux, where a rule of the host does.</summary>
    public PodPolicies? Policies { get; init; }

    /// <summary>With the MTU of this node's interface: those towards single peers change with what these list as their address.</summary>
    /// <param name="v4">The interface of this node's address in IPv4.</param>
    /// <param name="v6">The same in IPv6.</param>
    public static CniPlan For(ImmutableArray<Prefix> own, InterfaceChoice v4, InterfaceChoice v6)
    {
        InterfaceChoice[] used = [.. own.Select(p => p.IsIPv4 ? v4 : v6)];
        bool isKnown = used.Length > 0 && used.All(u => u.IsUsable);
        return new([.. own.Select(p => p.Aligned).Distinct()], isKnown ? used.Min(u => u.Interface!.Mtu) : 0);
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
