using System.Runtime.Versioning;
using HostGw.Planning;

namespace HostGw.Platform.Windows.Hns;

/// <summary>Keeps the pods' HNS network and the host's endpoint in it, where that is asked for. After HNS was restarted without them they are made anew.</summary>
[SupportedOSPlatform("windows")]
internal static class PodNetwork
{
    // Network, endpoint, attachment; and once more to see that all stands.
    private const int MostSteps = 4;

    /// <param name="uplink">The interface that holds this node's address; null: none at the moment.</param>
    /// <returns>Why nothing can be done; empty: all stands.</returns>
    /// <exception cref="WindowsException">HNS refused.</exception>
    public static string Ensure(string name, Prefix podCidr, string? uplink)
    {
        for (int i = 0; i < MostSteps; i++)
        {
            PodNetworkStep step = PodNetworkStep.Next(name, podCidr, HnsClient.Networks(), HnsClient.Endpoints());
            if (step.Action == PodNetworkAction.None)
                return step.Problem;
            // The whole host loses its network for a moment: not by an adapter that HNS picks.
            if (step.Action == PodNetworkAction.CreateNetwork && uplink is null)
                return "no HNS network yet: no interface holds this node's address";
            Do(step, name, podCidr, uplink);
        }
        return $"HNS does not keep what is made of network '{name}'";
    }

    /// <summary>HNS takes the adapter's name; once bridged, its address is on an interface that is named after it.</summary>
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
