using System.Runtime.Versioning;
using HostGw.Planning;

namespace HostGw.Lab.Tests.Platform;

/// <summary>Routes by the thousand, sorted by key.</summary>
[SupportedOSPlatform("linux")]
internal static class LinuxRoutesMany
{
    /// <summary>10.64.0.0/28 and following, each with a next hop of its own.</summary>
    public static IEnumerable<PodRoute> Of(LinuxNamespace host, int count) =>
        Enumerable.Range(0, count).Select(i => new PodRoute(
            new(Ip.V4(0x0A400000u + ((uint)i << 4)), 28), 0, Ip.V4(0xAC100001u + (uint)i), host.Eth0));

    /// <summary>fd00:0:0:0::/64 and following, each with a next hop of its own.</summary>
    public static IEnumerable<PodRoute> OfIPv6(LinuxNamespace host, int count) =>
        Enumerable.Range(0, count).Select(i => new PodRoute(
            new(Ip.V6(new UInt128(0xFD00_0000_0000_0000UL + (uint)i, 0)), 64), 1024, Ip.V6(new UInt128(0x2001_0DB8_0000_0000UL, 0x100UL + (uint)i)), host.Eth0));
}
