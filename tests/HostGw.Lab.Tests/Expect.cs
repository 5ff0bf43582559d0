using HostGw.Lab.Network;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>What kernels should have, soon. Routes are written as <c>ip route</c> does.</summary>
internal static class Expect
{
    public const string OurProtocol = "157";

    /// <summary>For an answer that comes: only a defect takes so long.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static IEnumerable<string> Ours(Node node) =>
        KernelRoute.All(node.Network).Where(route => route.Protocol == OurProtocol).Select(route => $"{route}");

    /// <summary>Exactly these routes with our protocol.</summary>
    public static Task RoutesAsync(Node node, params IEnumerable<string> routes)
    {
        string[] expected = [.. routes.Order(StringComparer.Ordinal)];
        return Eventually.TrueAsync(
            () => Ours(node).Order(StringComparer.Ordinal).SequenceEqual(expected),
            () => $"{node.Name} should have\n  {string.Join("\n  ", expected)}\nbut has\n  {string.Join("\n  ", Ours(node))}");
    }

    /// <summary>This route, and no other to that prefix.</summary>
    public static Task OnlyRouteAsync(Node node, string route)
    {
        var destination = IPNetwork.Parse(route.Split(' ')[0]);
        return Eventually.TrueAsync(
            () => KernelRoute.To(node.Network, destination) is [var only] && only.ToString() == route,
            () => $"{node.Name} should have only\n  {route}\nbut has\n  {string.Join("\n  ", KernelRoute.To(node.Network, destination))}");
    }

    /// <summary>This route, whatever stands beside it.</summary>
    public static Task RouteAsync(Node node, string route)
    {
        var destination = IPNetwork.Parse(route.Split(' ')[0]);
        return Eventually.TrueAsync(
            () => KernelRoute.To(node.Network, destination).Any(found => found.ToString() == route),
            () => $"{node.Name} should have\n  {route}\nbut has\n  {string.Join("\n  ", KernelRoute.To(node.Network, destination))}");
    }

    public static Task NoRouteAsync(Node node, IPNetwork destination) => Eventually.TrueAsync(
        () => KernelRoute.To(node.Network, destination).Count == 0,
        () => $"{node.Name} should have no route to {destination} but has {string.Join(", ", KernelRoute.To(node.Network, destination))}");

    /// <summary>What an agent makes of a peer with nextHop NodeAddress.</summary>
    public static string[] ByNodeAddress(Node peer) =>
    [
        $"{peer.PodCidrs[0]} via {peer.Addresses[0]} dev eth0 proto 157 onlink",
        $"{peer.PodCidrs[1]} via {peer.Addresses[1]} dev eth0 proto 157 metric 1024 onlink",
    ];

    /// <summary>What an agent makes of a peer whose pods it reaches through the tunnel, by the peer's address of each family.</summary>
    /// <param name="sources">The node's own packets come from them.</param>
    /// <param name="pathMtu">Of the way to the peer.</param>
    /// <param name="isIPv4Outside">By its IPv4 address for both families.</param>
    public static string[] Tunnelled(Node peer, IReadOnlyList<IPAddress> sources, int pathMtu = 1500, bool isIPv4Outside = false)
    {
        (string encap, int mtu) = ($"encap ip id 157 dst {peer.Addresses[0]} csum", pathMtu - 36);
        (string encapV6, int mtuV6) = isIPv4Outside
            ? (encap, mtu)
            : ($"encap ip6 id 157 dst {peer.Addresses[1]} hoplimit 64 csum", pathMtu - 56);
        return
        [
            $"{peer.PodCidrs[0]} {encap} dev hostgw0 proto 157 scope link src {sources[0]} mtu {mtu}",
            $"{peer.PodCidrs[1]} {encapV6} via fe80::9d dev hostgw0 proto 157 src {sources[1]} metric 1024 mtu {mtuV6}",
        ];
    }
}
