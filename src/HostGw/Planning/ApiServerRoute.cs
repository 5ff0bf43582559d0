namespace HostGw.Planning;

/// <summary>On Windows: keeps the API server reachable where a pod network covers it (-MasterIp, -Gateway of AddRoutes.ps1).</summary>
/// <param name="Gateway">None if the interface has no default gateway.</param>
internal readonly record struct ApiServerRoute(Prefix Destination, Ip Gateway)
{
    /// <summary>Null: not on Windows, not over IPv6, or not needed.</summary>
    public static ApiServerRoute? For(Policy policy, HostState host, InterfaceChoice v4)
    {
        if (host.Windows is null)
            return null;
        bool isNamed = !policy.Windows.ApiServerAddress.IsNone;
        Ip address = isNamed ? policy.Windows.ApiServerAddress : Connected(host);
        if (!address.IsIPv4 || policy.ServiceCidrs.Any(s => s.Contains(address)))
            return null;
        if (IsOnLink(address, host, v4) || host.Addresses.Any(a => a.Address == address))
            return null;
        // A configured one is installed before a pod network covers it: afterwards the API server could not be reached.
        return isNamed || IsTaken(address, host, v4) ? new(Prefix.Host(address), GatewayOf(policy, host, v4)) : null;
    }

    private static Ip Connected(HostState host) => host.Protected.FirstOrDefault(p => p.Role == ProtectedRole.ApiServer).Address;

    private static bool IsOnLink(Ip address, HostState host, InterfaceChoice v4) =>
        v4.Interface is { } link && host.Addresses.Any(a => a.Interface == link.Index && a.Connected.Contains(address));

    // Without HostGw's routes the host would send to it over another interface.
    private static bool IsTaken(Ip address, HostState host, InterfaceChoice v4) =>
        v4.Interface is { } link && InterfaceChoice.BestRoute(address, host) is { } best && best.Interface != link.Index;

    private static Ip GatewayOf(Policy policy, HostState host, InterfaceChoice v4)
    {
        if (!policy.Windows.Gateway.IsNone)
            return policy.Windows.Gateway;
        HostRoute? best = null;
        foreach (HostRoute route in host.Routes)
        {
            bool isDefault = route.Destination is { IsIPv4: true, Length: 0 } && !route.NextHop.IsNone;
            if (isDefault && route.Interface == v4.Interface?.Index && (best is null || route.Metric < best.Value.Metric))
                best = route;
        }
        return best?.NextHop ?? default;
    }
}
