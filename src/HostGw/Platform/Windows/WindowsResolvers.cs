using System.Net.NetworkInformation;
using System.Runtime.Versioning;
using HostGw.Planning;

namespace HostGw.Platform.Windows;

/// <summary>The DNS resolvers this host uses.</summary>
[SupportedOSPlatform("windows")]
internal static class WindowsResolvers
{
    /// <summary>None where Windows does not tell.</summary>
    public static IReadOnlyList<Ip> Read()
    {
        try
        {
            return [.. NetworkInterface.GetAllNetworkInterfaces().SelectMany(i => i.GetIPProperties().DnsAddresses).Select(Ip.From).Distinct()];
        }
        catch (NetworkInformationException)
        {
            return [];
        }
    }
}
