using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace HostGw.Planning;

/// <summary>
/// The probe address of a node, one per family: the first address of its first podCIDR. No pod gets it, and a local route makes it this
/// host's. An address on an interface could become the source address of the host's own packets.
/// </summary>
internal static class ProbeAddresses
{
    public static ImmutableArray<Ip> Of(ImmutableArray<Prefix> podCidrs) => [.. Of(podCidrs, isIPv6: false), .. Of(podCidrs, isIPv6: true)];

    private static IEnumerable<Ip> Of(ImmutableArray<Prefix> podCidrs, bool isIPv6) =>
        podCidrs.Where(p => p.IsIPv6 == isIPv6).Take(1).Select(p => p.Aligned.Address);
}

/// <summary>A route of table local that carries HostGw's protocol number.</summary>
/// <param name="Interface">0: it names none.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ProbeRoute(Prefix Destination, uint Metric, byte Tos, int Interface)
{
    /// <summary>It delivers packets to this host, over interface lo, and says nothing else: as HostGw installs it.</summary>
    public bool IsPlain { get; init; }
}
