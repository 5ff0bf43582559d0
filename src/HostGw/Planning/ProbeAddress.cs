using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace HostGw.Planning;

/// <summary>
/// The addresses inside a podCIDR that probes use. A node's probe address, one per family, is the first address of its first podCIDR: no
/// pod gets it, and a local route makes it this host's. An address on an interface could become the source of the host's own packets.
/// Windows knows no such route: a Windows node is probed at the address of its host endpoint in the pods' network, <c>.2</c>. That has
/// none of IPv6, in which Windows nodes are not probed, for win-bridge knows IPv4 alone.
/// </summary>
internal static class ProbeAddress
{
    /// <summary>Those of a Linux node, at most one per family.</summary>
    public static ImmutableArray<Ip> OfNode(ImmutableArray<Prefix> podCidrs) => [.. First(podCidrs).Select(p => p.Aligned.Address)];

    /// <summary>Those of a Windows node that its host endpoint has, at most one per family.</summary>
    public static ImmutableArray<Ip> OfEndpoint(ImmutableArray<Prefix> podCidrs, HostState host) =>
        [.. First(podCidrs).Select(p => Of(p, isWindows: true)).Where(a => host.Addresses.Any(h => h.Address == a))];

    /// <summary>Where the node answers. None where the podCIDR has no room for it, and on Windows in IPv6.</summary>
    public static Ip Of(Prefix podCidr, bool isWindows = false) =>
        podCidr.IsNone || podCidr.Length > podCidr.Address.Bits - 2 ? default
        : isWindows ? (podCidr.IsIPv4 ? PodGateway.Of(podCidr, isWindows) : default)
        : podCidr.Aligned.Address;

    /// <summary>
    /// An address to which the node would forward a packet: the last one, in IPv4 that before the broadcast address, if it is not SOURCE.
    /// </summary>
    public static Ip Beyond(Prefix podCidr, int tunnelSource = 0)
    {
        Ip last = podCidr.IsIPv4 ? Before(podCidr.Last) : podCidr.Last;
        return last == TunnelSource.Of(podCidr, tunnelSource) ? Before(last) : last;
    }

    /// <summary>None: there is none of that family.</summary>
    public static Prefix FirstPodCidr(ImmutableArray<Prefix> podCidrs, bool isIPv4)
    {
        foreach (Prefix podCidr in podCidrs)
        {
            if (podCidr.IsIPv4 == isIPv4)
                return podCidr;
        }
        return default;
    }

    private static IEnumerable<Prefix> First(ImmutableArray<Prefix> podCidrs) =>
        ((Prefix[])[FirstPodCidr(podCidrs, isIPv4: true), FirstPodCidr(podCidrs, isIPv4: false)]).Where(p => !p.IsNone);

    private static Ip Before(Ip address) => address.IsIPv4 ? Ip.V4((uint)address.Low - 1) : Ip.V6(address.Value - 1);
}

/// <summary>A route of table local that carries HostGw's protocol number.</summary>
/// <param name="Interface">0: it names none.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ProbeRoute(Prefix Destination, uint Metric, byte Tos, int Interface)
{
    /// <summary>It delivers packets to this host, over interface lo, and says nothing else: as HostGw installs it.</summary>
    public bool IsPlain { get; init; }
}
