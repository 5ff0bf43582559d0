using System.Net.Sockets;

namespace HostGw.Lab.Topology;

public static class AddressFamilyExtensions
{
    public static bool IsV6(this IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6;

    public static bool IsV6(this IPNetwork network) => network.BaseAddress.IsV6();
}
