using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Windows.Interop;

namespace HostGw.Platform.Windows;

/// <summary>Reads interfaces, addresses and routes: one table of each, whatever their number.</summary>
[SupportedOSPlatform("windows")]
internal sealed class WindowsHostReader(WindowsHostOptions options, OwnedRoutes owned)
{
    // AddRoutes.ps1's. Over the pods' bridge the way is shorter.
    private const uint Metric = 300;
    private const uint PodEndpointMetric = 250;

    private readonly List<HostRoute> _routes = [];

    /// <exception cref="WindowsException">Windows refused.</exception>
    public HostState Read(Ip apiServer)
    {
        ImmutableArray<HostInterface> interfaces = ReadInterfaces(out ForwardingState forwarding);
        _routes.Clear();
        NetIo.ReadRoutes(rows =>
        {
            foreach (ref readonly MIB_IPFORWARD_ROW2 row in rows)
            {
                if (RouteRow.TryRead(row, owned.Contains, out HostRoute route))
                    _routes.Add(route);
            }
        });
        _routes.Sort((a, b) => a.Key.CompareTo(b.Key));
        return new()
        {
            Interfaces = interfaces,
            Addresses = ReadAddresses(),
            Routes = _routes,
            Protected = Protect(apiServer),
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
                if (!address.IsNone && row.OnLinkPrefixLength <= address.Bits && row.DadState is not (IpHlpApi.IpDadStateInvalid or IpHlpApi.IpDadStateDuplicate))
                    addresses.Add(new(address, new Prefix(address, row.OnLinkPrefixLength).Aligned, (int)row.InterfaceIndex));
            }
        });
        return [.. addresses];
    }

    private ImmutableArray<ProtectedAddress> Protect(Ip apiServer)
    {
        IEnumerable<ProtectedAddress> addresses = _routes.Where(r => r.Destination.Length == 0 && !r.NextHop.IsNone)
            .Select(r => new ProtectedAddress(r.NextHop, ProtectedRole.Gateway))
            .Concat(options.Resolvers().Select(r => new ProtectedAddress(r, ProtectedRole.Resolver)));
        return apiServer.IsNone ? [.. addresses.Distinct()] : [.. addresses.Distinct(), new(apiServer, ProtectedRole.ApiServer)];
    }
}
