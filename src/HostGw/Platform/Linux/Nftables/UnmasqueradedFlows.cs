using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>Tells which connections the masquerade rule would have rewritten and did not see begin. Pure.</summary>
internal sealed class UnmasqueradedFlows(NatPlan plan, ImmutableArray<Prefix> podCidrs, IReadOnlySet<Ip> localAddresses)
{
    private readonly ImmutableArray<Prefix> _podCidrs = podCidrs.Sort();

    public bool Contains(in ConntrackEntry entry) =>
        !entry.HasSourceNat &&
        (entry.Source.IsIPv4 ? plan.IPv4 : plan.IPv6) &&
        Covers(_podCidrs, entry.Source) &&
        !Covers(plan.Exempt, entry.Destination) &&
        !localAddresses.Contains(entry.Destination);

    // The prefixes are sorted and disjoint: only the last that begins at or before the address can hold it.
    private static bool Covers(ImmutableArray<Prefix> prefixes, Ip address)
    {
        int index = prefixes.BinarySearch(Prefix.Host(address));
        int before = index >= 0 ? index : ~index - 1;
        return before >= 0 && prefixes[before].Contains(address);
    }
}
