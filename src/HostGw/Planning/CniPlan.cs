using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>The CNI configuration that this node should have.</summary>
/// <param name="PodCidrs">This node's, in the order of the API: a pod's first address is of the first.</param>
/// <param name="Mtu">Of pods' interfaces, in bytes; 0: not known while their packets' way out is gone.</param>
internal sealed record CniPlan(ImmutableArray<Prefix> PodCidrs, int Mtu)
{
    /// <summary>On Windows, where the plugin makes what is elsewhere the host's own masquerade rule.</summary>
    public PodPolicies? Policies { get; init; }

    public static CniPlan For(ImmutableArray<Prefix> own, InterfaceChoice v4, InterfaceChoice v6)
    {
        InterfaceChoice[] used = [.. own.Select(p => p.IsIPv4 ? v4 : v6)];
        bool isKnown = used.Length > 0 && used.All(c => c.IsUsable);
        return new([.. own.Select(p => p.Aligned).Distinct()], isKnown ? used.Min(c => c.Interface!.Mtu) : 0);
    }

    // Every pass makes its lists anew: they are the same where their prefixes are.
    public bool Equals(CniPlan? other) => other is not null && Mtu == other.Mtu && PodCidrs.SequenceEqual(other.PodCidrs) && Policies == other.Policies;

    public override int GetHashCode() => HashCode.Combine(Mtu, PodCidrs.Length);
}

/// <summary>How packets of a Windows node's pods leave it.</summary>
/// <param name="Nat">Null: with the pod's address, wherever they go.</param>
/// <param name="Services">Prefixes of addresses that only the host knows the way to.</param>
internal sealed record PodPolicies(NatPlan? Nat, ImmutableArray<Prefix> Services)
{
    public bool Equals(PodPolicies? other) => other is not null && Nat == other.Nat && Services.SequenceEqual(other.Services);

    public override int GetHashCode() => HashCode.Combine(Nat, Services.Length);
}
