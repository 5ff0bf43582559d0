using System.Collections.Immutable;
using System.Net.NetworkInformation;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Windows.Interop;

namespace HostGw.Platform.Windows;

/// <summary>Reads the host's interfaces, addresses and routes.</summary>
[SupportedOSPlatform("windows")]
internal sealed class WindowsHostReader(WindowsHostOptions options, OwnedRoutes owned)
{
    // AddRoutes.ps1's metric; routes over the pods' bridge are preferred.
    private const uint Metric = 300;
    private const uint PodEndpointMetric = 250;

    /// <exception cref="WindowsException">Windows answered with an error.</exception>
    public HostState Read(IReadOnlyList<Ip> apiServers)
    {
        ImmutableArray<HostInterface> interfaces = ReadInterfaces(out ForwardingState forwarding);
        List<HostRoute> routes = [];
        NetIo.ReadRoutes(rows =>
        {
            foreach (ref readonly MIB_IPFORWARD_ROW2 row in rows)
            {
                if (RouteRow.TryRead(row, owned.Contains, out HostRoute route))
                    routes.Add(route);
            }
        });
        routes.Sort((a, b) => a.Key.CompareTo(b.Key));
        return new()
        {
            Interfaces = interfaces,
            Addresses = ReadAddresses(),
            Routes = routes,
            Protected = Protect(routes, apiServers),
            Forwarding = forwarding,
            MetricIPv4 = Metric,
            MetricIPv6 = Metric,
            Windows = new(interfaces.FirstOrDefault(i => options.PodEndpoints.Contains(i.Name)), PodEndpointMetric),
        };
    }

    private static ImmutableArray<HostInterface> ReadInterfaces(out ForwardingState forwarding)
    {
        InterfaceRows families = new();
        NetIo.ReadInterfaces(rows =>
        {
            foreach (ref readonly MIB_IPINTERFACE_ROW row in rows)
                families.Add(row);
        });
        forwarding = families.Forwarding;
        return [.. families.Read(NetIo.Alias)];
    }

    private static ImmutableArray<HostAddress> ReadAddresses()
    {
        List<HostAddress> addresses = [];
        NetIo.ReadAddresses(rows =>
        {
            foreach (ref readonly MIB_UNICASTIPADDRESS_ROW row in rows)
            {
                Ip address = InetAddress.Read(row.Address);
                bool isUsable = row.DadState is not (IpHlpApi.IpDadStateInvalid or IpHlpApi.IpDadStateDuplicate);
                if (!address.IsNone && row.OnLinkPrefixLength <= address.Bits && isUsable)
                    addresses.Add(new(address, new Prefix(address, row.OnLinkPrefixLength).Aligned, (int)row.InterfaceIndex));
            }
        });
        return [.. addresses];
    }

    private ImmutableArray<ProtectedAddress> Protect(List<HostRoute> routes, IReadOnlyList<Ip> apiServers)
    {
        IEnumerable<ProtectedAddress> addresses = routes.Where(r => r.Destination.Length == 0 && !r.NextHop.IsNone)
            .Select(r => new ProtectedAddress(r.NextHop, ProtectedRole.Gateway))
            .Concat(options.Resolvers().Select(r => new ProtectedAddress(r, ProtectedRole.Resolver)));
        return [.. addresses.Distinct(), .. apiServers.Select(a => new ProtectedAddress(a, ProtectedRole.ApiServer))];
    }
}

/// <summary>Combines MIB_IPINTERFACE_ROWs, of which an interface has one per family. Pure.</summary>
internal sealed class InterfaceRows
{
    private const ushort AF_INET = 2;
    // NET_LUID: the upper 16 bits are the interface type (ipifcons.h).
    private const int TypeAt = 48;
    private const ulong IF_TYPE_SOFTWARE_LOOPBACK = 24;

    // Without link-layer addresses: dialled connections, WireGuard's and other VPNs' adapters, tunnels, mobile broadband.
    private const ulong IF_TYPE_PROP_POINT2POINT_SERIAL = 22, IF_TYPE_PPP = 23, IF_TYPE_SLIP = 28, IF_TYPE_PROP_VIRTUAL = 53,
        IF_TYPE_TUNNEL = 131, IF_TYPE_WWANPP = 243, IF_TYPE_WWANPP2 = 244;

    private readonly SortedDictionary<int, HostInterface> _interfaces = [];

    /// <summary>Whether any interface of a family forwards; null if none has the family.</summary>
    public ForwardingState Forwarding { get; private set; }

    public void Add(in MIB_IPINTERFACE_ROW row)
    {
        bool isIPv4 = row.Family == AF_INET, forwards = row.ForwardingEnabled != 0;
        int index = (int)row.InterfaceIndex;
        ulong type = row.InterfaceLuid >> TypeAt;
        bool isLoopback = type == IF_TYPE_SOFTWARE_LOOPBACK;
        HostInterface known = _interfaces.GetValueOrDefault(index) ?? new(index, "", IsUp: false, isLoopback)
        {
            HasNeighbours = HasNeighbours(type),
            Mtu = int.MaxValue,
            ForwardsIPv4 = false,
            ForwardsIPv6 = false,
            HasIPv4 = false,
            HasIPv6 = false,
            Luid = row.InterfaceLuid,
        };
        known = known with { IsUp = known.IsUp || row.Connected != 0, Mtu = (int)Math.Min((uint)known.Mtu, row.NlMtu) };
        _interfaces[index] = isIPv4
            ? known with { HasIPv4 = true, ForwardsIPv4 = forwards, MetricIPv4 = row.Metric }
            : known with { HasIPv6 = true, ForwardsIPv6 = forwards, MetricIPv6 = row.Metric };
        if (!isLoopback)
        {
            Forwarding = isIPv4
                ? Forwarding with { IPv4 = Forwarding.IPv4 == true || forwards }
                : Forwarding with { IPv6 = Forwarding.IPv6 == true || forwards };
        }
    }

    /// <param name="alias">The name of an interface by its LUID; empty if it is gone.</param>
    public IEnumerable<HostInterface> Read(Func<ulong, string> alias) =>
        _interfaces.Values.Select(i => i with { Name = alias(i.Luid) }).Where(i => i.Name.Length > 0);

    private static bool HasNeighbours(ulong type) => type is not (IF_TYPE_SOFTWARE_LOOPBACK or IF_TYPE_PROP_POINT2POINT_SERIAL or
        IF_TYPE_PPP or IF_TYPE_SLIP or IF_TYPE_PROP_VIRTUAL or IF_TYPE_TUNNEL or IF_TYPE_WWANPP or IF_TYPE_WWANPP2);
}

/// <summary>The DNS resolvers this host uses.</summary>
[SupportedOSPlatform("windows")]
internal static class WindowsResolvers
{
    /// <summary>None if Windows does not answer.</summary>
    public static IReadOnlyList<Ip> Read()
    {
        try
        {
            return [.. NetworkInterface.GetAllNetworkInterfaces().SelectMany(i => i.GetIPProperties().DnsAddresses)
                .Select(Ip.From).Distinct()];
        }
        catch (NetworkInformationException)
        {
            return [];
        }
    }
}
