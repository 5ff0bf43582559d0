namespace HostGw.Planning;

/// <summary>A route that keeps the API server in reach where a pod network would take its traffic (-MasterIp and -Gateway of AddRoutes.ps1).</summary>
/// <param name="Gateway">None while the interface has no default gateway.</param>
internal readonly record struct ApiServerRoute(Prefix Destination, Ip Gateway)
{
    /// <summary>Null: not on Windows, not over IPv6, or not needed.</summary>
    public static ApiServerRoute? For(Policy policy, HostState host, InterfaceChoice v4)
    {
        if (host.Windows is null)
            return null;
        bool isNamed = !policy.Windows.ApiServerAddress.IsNone;
        Ip address = isNamed ? policy.Windows.ApiServerAddress : Connected(host);
        if (!address.IsIPv4 || policy.ServiceCidrs.Any(s => s.Contains(address)) || IsNeighbour(address, host, v4) || host.Addresses.Any(a => a.Address == address))
            return null;
        // One that the operator names is wanted before anything takes its traffic: afterwards nobody could tell us of nodes.
        return isNamed || IsTaken(address, host, v4) ? new(Prefix.Host(address), GatewayOf(policy, host, v4)) : null;
    }

    private static Ip Connected(HostState host) => host.Protected.FirstOrDefault(p => p.Role == ProtectedRole.ApiServer).Address;

    private static bool IsNeighbour(Ip address, HostState host, InterfaceChoice v4) =>
        v4.Interface is { } link && host.Addresses.Any(a => a.Interface == link.Index && a.Connected.Contains(address));

    // The route that the system would take if ours did not stand leads to another interface.
    private static bool IsTaken(Ip address, HostState host, InterfaceChoice v4) =>
        v4.Interface is { } link && InterfaceChoice.BestRoute(address, host) is { } best && best.Interface != link.Index;

    private static Ip GatewayOf(Policy policy, HostState host, InterfaceChoice v4)
    {
        if (!policy.Windows.Gateway.IsNone)
            return policy.Windows.Gateway;
        HostRoute? best = null;
        foreach (HostRoute route in host.Routes)
        {
            bool isDefault = route.Destination is { IsIPv4: true, Length: 0 } && !route.NextHop.IsNone && route.Interface == v4.Interface?.Index;
            if (isDefault && (best is null || route.Metric < best.Value.Metric))
                best = route;
        }
        return best?.NextHop ?? default;
    }
}
