using HostGw.Planning;

namespace HostGw.Platform.Windows.Hns;

/// <summary>The next thing to do for the pods' network, decided by what stands. Pure.</summary>
/// <param name="Problem">Why nothing can be done; empty: something can, or nothing has to be.</param>
internal readonly record struct PodNetworkStep(PodNetworkAction Action, Guid Network, Guid Endpoint, string Problem = "")
{
    /// <summary>Takes what is right as it is; never removes a network, for pods may hang on it.</summary>
    public static PodNetworkStep Next(string name, Prefix podCidr, IReadOnlyList<HnsNetwork> networks, IReadOnlyList<HnsEndpoint> endpoints)
    {
        Ip gateway = PodGateway.Of(podCidr, isWindows: false), host = PodGateway.Of(podCidr, isWindows: true);
        if (networks.FirstOrDefault(n => n.Name == name) is not { } network)
        {
            return networks.FirstOrDefault(n => !n.Subnet.IsNone && n.Subnet.Overlaps(podCidr)) is { } other
                ? new(PodNetworkAction.None, default, default, $"HNS network '{other.Name}' already has {other.Subnet}, which overlaps this node's podCIDR {podCidr}: set windows.network to it, or remove it")
                : new(PodNetworkAction.CreateNetwork, default, default);
        }
        if (network.Type != "L2Bridge" || network.Subnet != podCidr || network.Gateway != gateway)
        {
            int pods = endpoints.Count(e => e.Network == network.Id);
            return new(PodNetworkAction.None, network.Id, default, $"HNS network '{name}' is {network.Type} {network.Subnet} with gateway {network.Gateway}, not L2Bridge {podCidr} with {gateway}; it has {pods} endpoints: drain the node and remove it (Remove-HnsNetwork)");
        }
        if (endpoints.FirstOrDefault(e => e.Network == network.Id && e.Address == host) is not { } endpoint)
            return new(PodNetworkAction.CreateEndpoint, network.Id, default);
        return new(endpoint.Namespace == default ? PodNetworkAction.AttachEndpoint : PodNetworkAction.None, network.Id, endpoint.Id);
    }
}

internal enum PodNetworkAction
{
    /// <summary>All stands, or there is a problem.</summary>
    None,
    CreateNetwork,
    CreateEndpoint,
    AttachEndpoint,
}
