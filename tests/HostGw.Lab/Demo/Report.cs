using System.Globalization;
using HostGw.Lab.Network;
using HostGw.Lab.Probes;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Demo;

/// <summary>What is shown of the cluster, as rows of a table.</summary>
internal static class Report
{
    public const string OurProtocol = "157";

    public static IReadOnlyList<string[]> Nodes(Cluster cluster) =>
    [
        ["NODE", "OS", "ADDRESSES", "", "POD SUBNETS", "", "POD GATEWAY"],
        .. cluster.Nodes.Select(node => (string[])[
            node.Name, node.IsWindows ? "windows" : "linux", .. node.Addresses.Select(a => $"{a}"),
            .. node.PodCidrs.Select(cidr => $"{cidr}"), $"{node.PodGateways[0]}"]),
    ];

    /// <summary>The routes that the agents made, IPv4 and IPv6 side by side.</summary>
    public static IReadOnlyList<string[]> Routes(Cluster cluster)
    {
        List<string[]> rows = [["ON", "IPv4", "", "IPv6", ""]];
        foreach (Node node in cluster.Nodes)
        {
            KernelRoute[] routes = Ours(node);
            string[][] v4 = [.. routes.Where(route => !route.Destination.IsV6()).Select(Cells)];
            string[][] v6 = [.. routes.Where(route => route.Destination.IsV6()).Select(Cells)];
            for (int i = 0; i < Math.Max(v4.Length, v6.Length); i++)
                rows.Add([i == 0 ? node.Name : "", .. v4.ElementAtOrDefault(i) ?? ["", ""], .. v6.ElementAtOrDefault(i) ?? ["", ""]]);
        }
        return rows;
    }

    public static KernelRoute[] Ours(Node node) =>
        [.. KernelRoute.All(node.Network).Where(route => route.Protocol == OurProtocol)
            .OrderBy(route => route.Destination.PrefixLength).ThenBy(route => $"{route.Destination}", StringComparer.Ordinal)];

    /// <summary>Round trips in milliseconds, IPv4 and IPv6, and who 'outside' thinks the pod is.</summary>
    public static IReadOnlyList<string[]> Pings(PingMatrix matrix) =>
    [
        ["ms, IPv4 IPv6", .. matrix.Pods.Select(pod => pod.Name), "OUTSIDE SEES", ""],
        .. matrix.Pods.Select(from => (string[])[
            from.Name,
            .. matrix.Pods.Select(to => from == to ? "-" : string.Join(' ', to.Addresses.Select(address => Milliseconds(matrix.Reply(from, address))))),
            .. Addressing.Outside.Select(address => matrix.Source(from, address)?.ToString() ?? "nobody")]),
    ];

    private static string[] Cells(KernelRoute route) =>
        [$"{route.Destination}", route.Gateway is null ? $"dev {route.Device}" : $"via {route.Gateway}"];

    private static string Milliseconds(TimeSpan? time) =>
        time is { } reply ? reply.TotalMilliseconds.ToString("0.00", CultureInfo.InvariantCulture) : "lost";
}
