using System.Net.NetworkInformation;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Windows;
using HostGw.Platform.Windows.Interop;

namespace HostGw.Windows.Tests.OnWindows;

/// <summary>Our structures hold what .NET reads through another function of Windows (GetAdaptersAddresses).</summary>
[SupportedOSPlatform("windows")]
public sealed class RowTests(Verification run) : Asking(run)
{
    private const int TypeAt = 48;

    [Fact]
    public Task Interfaces_and_addresses() => AskAsync(Question.Rows, () =>
    {
        NetworkInterface[] up = [.. NetworkInterface.GetAllNetworkInterfaces()
            .Where(i => i.OperationalStatus == OperationalStatus.Up && i.Supports(NetworkInterfaceComponent.IPv4))];
        string uplink = Machine.Uplink().Interface.Name;
        Assert.Contains(up, i => i.Name == uplink);
        List<string> ours = ReadInterfaces();
        Assert.All(up, i => Assert.Contains(Describe(i), ours));
        IReadOnlyList<HostAddress> addresses = Machine.Read().Addresses;
        string[] theirs = [.. up.SelectMany(AddressesOf)];
        Assert.NotEmpty(theirs);
        Assert.All(theirs, a => Assert.Contains(a, addresses.Select(o => $"{o.Address}/{o.Connected.Length} on {o.Interface}")));
        return $"{up.Length} interfaces (index, name, type, MTU), {theirs.Length} addresses with their prefix lengths";
    });

    private static List<string> ReadInterfaces()
    {
        List<string> all = [];
        NetIo.ReadInterfaces(rows =>
        {
            foreach (ref readonly MIB_IPINTERFACE_ROW row in rows)
            {
                if (row.Family == IpHlpApi.AF_INET && row.Connected != 0)
                {
                    int type = (int)(row.InterfaceLuid >> TypeAt);
                    all.Add(Describe((int)row.InterfaceIndex, NetIo.Alias(row.InterfaceLuid), type, (int)row.NlMtu));
                }
            }
        });
        return all;
    }

    private static string Describe(NetworkInterface link)
    {
        IPv4InterfaceProperties properties = link.GetIPProperties().GetIPv4Properties();
        return Describe(properties.Index, link.Name, (int)link.NetworkInterfaceType, properties.Mtu);
    }

    private static string Describe(int index, string name, int type, int mtu) => $"{index} {name} type {type} MTU {mtu}";

    private static IEnumerable<string> AddressesOf(NetworkInterface link)
    {
        IPInterfaceProperties properties = link.GetIPProperties();
        int index = properties.GetIPv4Properties().Index;
        return properties.UnicastAddresses.Select(a => $"{Ip.From(a.Address)}/{a.PrefixLength} on {index}");
    }
}
