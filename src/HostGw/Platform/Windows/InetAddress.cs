using HostGw.Planning;
using HostGw.Platform.Windows.Interop;

namespace HostGw.Platform.Windows;

/// <summary>Addresses in the form of winsock. Pure.</summary>
internal static class InetAddress
{
    private const ushort AF_INET = 2, AF_INET6 = 23;

    /// <summary>The unspecified address of the family for no address: what Windows calls on-link.</summary>
    public static SOCKADDR_INET Of(Ip address, bool ipv6)
    {
        SOCKADDR_INET result = new() { si_family = ipv6 ? AF_INET6 : AF_INET };
        Span<byte> bytes = stackalloc byte[16];
        if (address.IsNone)
            return result;
        address.WriteBytes(bytes);
        if (ipv6)
            bytes.CopyTo(result.sin6_addr);
        else
            result.sin_addr = BitConverter.ToUInt32(bytes);
        return result;
    }

    /// <summary>None for another family than IPv4 and IPv6.</summary>
    public static Ip Read(in SOCKADDR_INET address) => address.si_family switch
    {
        AF_INET => Ip.FromBytes(BitConverter.GetBytes(address.sin_addr)),
        AF_INET6 => Ip.FromBytes(address.sin6_addr),
        _ => default,
    };

    /// <summary>None where <see cref="Read"/> is none, and for the unspecified address.</summary>
    public static Ip ReadNextHop(in SOCKADDR_INET address) => Read(address) is { Value: var value } ip && value != 0 ? ip : default;
}
