using System.Runtime.Versioning;
using HostGw.Planning;

namespace HostGw.Platform.Windows.Hns;

/// <summary>Creates the pods' HNS network and the host's endpoint in it (windows.createNetwork), again after HNS lost them.</summary>
[SupportedOSPlatform("windows")]
internal static class PodNetwork
{
    // Network, endpoint and attachment.
    private const int MostSteps = 3;

    /// <param name="uplink">The interface that holds this node's address; null: none does.</param>
    /// <param name="unreadable">Gets the errors of HNS's objects that cannot be read.</param>
    /// <returns>Why nothing can be done; empty: the network is complete.</returns>
    /// <exception cref="WindowsException">HNS answered with an error.</exception>
    public static string Ensure(string name, Prefix podCidr, string? uplink, List<WindowsException> unreadable)
    {
        for (int i = 0; i < MostSteps; i++)
        {
            PodNetworkStep step = PodNetworkStep.Next(name, podCidr, HnsClient.Networks(unreadable), HnsClient.Endpoints(unreadable));
            if (step.Action == PodNetworkAction.None)
                return step.Problem;
            // It may be there.
            if (unreadable.Count > 0 && step.Action is PodNetworkAction.CreateNetwork or PodNetworkAction.CreateEndpoint)
                return $"HNS network '{name}' is incomplete, and nothing is created while objects of HNS cannot be read";
            // Bridging an adapter interrupts the host's network: never let HNS choose which one.
            if (step.Action == PodNetworkAction.CreateNetwork && uplink is null)
                return "no HNS network yet: no interface holds this node's address";
            Do(step, name, podCidr, uplink);
            // HNS names no namespace of an endpoint that was attached by the older HNSCall.
            if (step.Action == PodNetworkAction.AttachEndpoint)
                return "";
        }
        return $"HNS network '{name}' is still incomplete after {MostSteps} steps: HNS does not keep what HostGw creates";
    }

    /// <summary>The adapter's name, which HNS expects. Once it is bridged, its address is on "vEthernet (NAME)".</summary>
    public static string Adapter(string uplink) =>
        uplink.StartsWith("vEthernet (", StringComparison.Ordinal) && uplink.EndsWith(')') ? uplink["vEthernet (".Length..^1] : uplink;

    private static void Do(PodNetworkStep step, string name, Prefix podCidr, string? uplink)
    {
        switch (step.Action)
        {
            case PodNetworkAction.CreateNetwork:
                HnsClient.CreateNetwork(HnsDocuments.Network(name, podCidr, Adapter(uplink ?? "")));
                break;
            case PodNetworkAction.CreateEndpoint:
                HnsClient.CreateEndpoint(step.Network, HnsDocuments.HostEndpoint(name, step.Network, podCidr));
                break;
            default:
                HnsClient.AttachToHost(step.Endpoint);
                break;
        }
    }
}

/// <summary>The next step towards the pods' network, given what exists. Pure.</summary>
/// <param name="Problem">Why nothing can be done; empty: no problem.</param>
internal readonly record struct PodNetworkStep(PodNetworkAction Action, Guid Network, Guid Endpoint, string Problem = "")
{
    /// <summary>Never removes a network, for pods may use it.</summary>
    public static PodNetworkStep Next(
        string name, Prefix podCidr, IReadOnlyList<HnsNetwork> networks, IReadOnlyList<HnsEndpoint> endpoints)
    {
        Ip gateway = PodGateway.Of(podCidr, isWindows: false), host = PodGateway.Of(podCidr, isWindows: true);
        if (networks.FirstOrDefault(n => n.Name == name) is not { } network)
        {
            return networks.FirstOrDefault(n => !n.Subnet.IsNone && n.Subnet.Overlaps(podCidr)) is { } other
                ? new(PodNetworkAction.None, default, default,
                    $"HNS network '{other.Name}' already has {other.Subnet}, which overlaps this node's podCIDR {podCidr}: " +
                    "set windows.network to it, or remove it")
                : new(PodNetworkAction.CreateNetwork, default, default);
        }
        if (network.Type != "L2Bridge" || network.Subnet != podCidr || network.Gateway != gateway)
        {
            int pods = endpoints.Count(e => e.Network == network.Id);
            return new(PodNetworkAction.None, network.Id, default,
                $"HNS network '{name}' is {network.Type} {network.Subnet} with gateway {network.Gateway}, not L2Bridge {podCidr} " +
                $"with {gateway}; it has {pods} endpoints: drain the node and remove it (Remove-HnsNetwork)");
        }
        if (endpoints.FirstOrDefault(e => e.Network == network.Id && e.Address == host) is not { } endpoint)
            return new(PodNetworkAction.CreateEndpoint, network.Id, default);
        return new(endpoint.Namespace == default ? PodNetworkAction.AttachEndpoint : PodNetworkAction.None, network.Id, endpoint.Id);
    }
}

internal enum PodNetworkAction
{
    /// <summary>The network is complete, or there is a problem.</summary>
    None,
    CreateNetwork,
    CreateEndpoint,
    AttachEndpoint,
}
