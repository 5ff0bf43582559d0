using System.Text.Json;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Network;

/// <summary>A unicast route of the main table, as the kernel has it.</summary>
/// <param name="Protocol">As <c>ip</c> names it: kernel, boot, static, or a number.</param>
/// <param name="Metric">0 if none.</param>
/// <param name="NextHops">How many next hops it has.</param>
public sealed record KernelRoute(
    IPNetwork Destination, IPAddress? Gateway, string Device, string Protocol, long Metric, bool OnLink, string Scope, int NextHops)
{
    /// <summary>How packets are put into a tunnel, as <c>ip</c> writes it, without what is zero; empty: they are not.</summary>
    public string Encapsulation { get; init; } = "";

    /// <summary>Of the host's own packets; null: the kernel chooses.</summary>
    public IPAddress? Source { get; init; }

    /// <summary>0: that of the device.</summary>
    public int Mtu { get; init; }

    /// <summary>All routes of a namespace, IPv4 first.</summary>
    public static IReadOnlyList<KernelRoute> All(NetworkNamespace network) =>
        [.. Read(network, "-4"), .. Read(network, "-6")];

    /// <summary>The routes to exactly this prefix.</summary>
    public static IReadOnlyList<KernelRoute> To(NetworkNamespace network, IPNetwork destination) =>
        [.. Read(network, destination.IsV6() ? "-6" : "-4", destination.ToString())];

    /// <summary>As <c>ip route</c> writes it.</summary>
    public override string ToString() =>
        (Destination.PrefixLength == 0 ? "default" : $"{Destination}")
        + Encapsulation + (Gateway is null ? "" : $" via {Gateway}") + $" dev {Device} proto {Protocol}"
        + (Scope == "link" && Gateway is null ? " scope link" : "") + (Source is null ? "" : $" src {Source}")
        + (Metric == 0 ? "" : $" metric {Metric}") + (Mtu == 0 ? "" : $" mtu {Mtu}") + (OnLink ? " onlink" : "");

    private static IEnumerable<KernelRoute> Read(NetworkNamespace network, string family, string? exact = null)
    {
        string[] selection = exact is null ? [] : ["exact", exact];
        string json = Command.Run("ip", ["-n", network.Name, "-json", "-details", family, "route", "show", "table", "main", .. selection]);
        if (json.Trim().Length == 0)
            yield break;

        using var document = JsonDocument.Parse(json);
        foreach (JsonElement route in document.RootElement.EnumerateArray())
        {
            if (Text(route, "type", "unicast") == "unicast")
                yield return Parse(route, family == "-6");
        }
    }

    private static KernelRoute Parse(JsonElement route, bool v6) => new(
        Prefix(DestinationText(route), v6),
        route.TryGetProperty("gateway", out JsonElement gateway) ? IPAddress.Parse(gateway.GetString()!) : null,
        Text(route, "dev", ""),
        Text(route, "protocol", ""),
        route.TryGetProperty("metric", out JsonElement metric) ? metric.GetInt64() : 0,
        route.TryGetProperty("flags", out JsonElement flags) && flags.EnumerateArray().Any(flag => flag.GetString() == "onlink"),
        Text(route, "scope", ""),
        route.TryGetProperty("nexthops", out JsonElement hops) ? hops.GetArrayLength() : 1)
    {
        Encapsulation = route.TryGetProperty("encap", out JsonElement type) ? EncapsulationText(route, type.GetString()!) : "",
        Source = route.TryGetProperty("prefsrc", out JsonElement source) ? IPAddress.Parse(source.GetString()!) : null,
        Mtu = route.TryGetProperty("metrics", out JsonElement metrics) && metrics[0].TryGetProperty("mtu", out JsonElement mtu)
            ? mtu.GetInt32()
            : 0,
    };

    // `ip` writes the destination of the route and that of the outer header under one name, in this order.
    private static string DestinationText(JsonElement route) => route.EnumerateObject().First(p => p.Name == "dst").Value.GetString()!;

    private static string EncapsulationText(JsonElement route, string type)
    {
        IEnumerable<string> numbers = from name in (string[])["ttl", "hoplimit", "tos", "tc"]
                                      where route.TryGetProperty(name, out JsonElement value) && value.GetInt32() > 0
                                      select $" {name} {route.GetProperty(name).GetInt32()}";
        IEnumerable<string> flags = from name in (string[])["key", "csum", "seq"]
                                    where route.TryGetProperty(name, out _)
                                    select $" {name}";
        return $" encap {type} id {route.GetProperty("id")} dst {Text(route, "dst", "")}{string.Concat(numbers.Concat(flags))}";
    }

    private static IPNetwork Prefix(string text, bool v6)
    {
        if (text == "default")
            return new(v6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
        return text.Contains('/', StringComparison.Ordinal) ? IPNetwork.Parse(text) : new(IPAddress.Parse(text), v6 ? 128 : 32);
    }

    private static string Text(JsonElement element, string name, string otherwise) =>
        element.TryGetProperty(name, out JsonElement value) ? value.GetString() ?? otherwise : otherwise;
}
