using System.Globalization;
using System.Runtime.Versioning;
using HostGw.Platform.Windows;
using HostGw.Platform.Windows.Interop;
using static HostGw.Platform.Windows.Interop.IpHlpApi;

namespace HostGw.Windows.Tests.OnWindows;

/// <summary>What tests change here. Each change is recorded in a file first: the next run undoes what a killed one left.</summary>
[SupportedOSPlatform("windows")]
internal sealed unsafe class Made(string name)
{
    private readonly string _record = Path.Combine(Machine.Folder, name);

    /// <summary>Creates a route in one of the prefixes of documentation.</summary>
    public void Route(OwnedRoute route, uint metric)
    {
        WillMake(route);
        NetIo.CreateRoute(route, metric);
    }

    /// <summary>Records routes that the caller is about to create.</summary>
    public void WillMake(params IReadOnlyCollection<OwnedRoute> routes)
    {
        HashSet<OwnedRoute> existing = [.. Machine.Read().Routes.Select(r => new OwnedRoute(r.Destination, r.NextHop, 0))];
        if (routes.FirstOrDefault(r => existing.Contains(r with { Luid = 0 })) is { Destination.IsNone: false } other)
            throw new NotAskedException($"this machine has a route to {other.Destination}");
        Note(routes.Select(r => $"route {r}"));
    }

    /// <summary>Turns forwarding on, as the agent does.</summary>
    public void Forwarding(ulong luid, bool ipv6)
    {
        Note([string.Create(CultureInfo.InvariantCulture, $"forwarding {luid:x16} {ipv6}")]);
        NetIo.EnableForwarding(luid, ipv6);
    }

    /// <summary>Adds an address of documentation, alone in its prefix.</summary>
    public void Address(ulong luid, Ip address)
    {
        Note([string.Create(CultureInfo.InvariantCulture, $"address {luid:x16} {address}")]);
        MIB_UNICASTIPADDRESS_ROW row = AddressRow(luid, address);
        row.OnLinkPrefixLength = (byte)address.Bits;
        Require($"add address {address}", WindowsApi.CreateUnicastIpAddressEntry(&row));
    }

    /// <summary>Records that the caller is about to create HNS objects named after this program.</summary>
    public void WillMakeHnsObjects() => Note(["hns"]);

    /// <summary>Undoes all that is recorded, the last change first.</summary>
    public void Remove()
    {
        if (!File.Exists(_record))
            return;
        foreach (string[] words in File.ReadAllLines(_record).Reverse().Select(l => l.Split(' ')))
            Undo(words);
        File.Delete(_record);
    }

    private void Undo(string[] words)
    {
        try
        {
            switch (words)
            {
                case ["route", .. var rest] when OwnedRoute.TryParse(string.Join(' ', rest), out OwnedRoute route)
                    && IsOfDocumentation(route.Destination.Address):
                    NetIo.DeleteRoute(route);
                    break;
                case ["forwarding", var luid, var ipv6]:
                    TurnOff(Luid(luid), bool.Parse(ipv6));
                    break;
                case ["address", var luid, var address] when IsOfDocumentation(Ip.Parse(address)):
                    MIB_UNICASTIPADDRESS_ROW row = AddressRow(Luid(luid), Ip.Parse(address));
                    Require($"remove address {address}", WindowsApi.DeleteUnicastIpAddressEntry(&row));
                    break;
                case ["hns"]:
                    TestObjects.Remove();
                    break;
                default:
                    throw new InvalidDataException($"{_record}: '{string.Join(' ', words)}'");
            }
        }
        catch (WindowsException e) when (e.IsNotFound)
        {
            // The run ended before it made this, or the test removed it itself.
        }
    }

    private static void TurnOff(ulong luid, bool ipv6)
    {
        MIB_IPINTERFACE_ROW row = new() { Family = ipv6 ? AF_INET6 : AF_INET, InterfaceLuid = luid };
        Require("read the interface's forwarding", GetIpInterfaceEntry(&row));
        row.ForwardingEnabled = 0;
        if (!ipv6)
            row.SitePrefixLength = 0;
        Require("turn the interface's forwarding off", SetIpInterfaceEntry(&row));
    }

    private static MIB_UNICASTIPADDRESS_ROW AddressRow(ulong luid, Ip address)
    {
        MIB_UNICASTIPADDRESS_ROW row;
        WindowsApi.InitializeUnicastIpAddressEntry(&row);
        row.Address = InetAddress.Of(address, address.IsIPv6);
        row.InterfaceLuid = luid;
        return row;
    }

    private void Note(IEnumerable<string> lines)
    {
        StateDirectory.Make(Machine.Folder);
        File.AppendAllLines(_record, lines);
    }

    private static bool IsOfDocumentation(Ip address) => Machine.Documentation.Any(d => d.Contains(address));

    private static ulong Luid(string text) => ulong.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    private static void Require(string what, uint code)
    {
        if (code != 0)
            throw new WindowsException(what, code);
    }
}
