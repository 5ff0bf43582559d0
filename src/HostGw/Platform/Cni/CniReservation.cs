using System.Collections.Immutable;
using System.Text.Json;
using HostGw.Planning;

namespace HostGw.Platform.Cni;

/// <summary>Whether the configuration that the container runtime uses keeps the gateway addresses of podCIDRs from pods. Pure.</summary>
/// <param name="Obstacle">Why that is not known; empty: it does.</param>
/// <param name="Subnets">The subnets that pods get addresses of; null: the podCIDRs, whichever they are.</param>
internal sealed record CniReservation(string Obstacle, ImmutableArray<Prefix>? Subnets)
{
    /// <summary>HostGw's configuration does; and without any, nobody gives addresses to pods.</summary>
    public static CniReservation Complete { get; } = new("", null);

    /// <param name="names">All files of the directory.</param>
    /// <param name="read">A file's text; empty where it is gone; null where it may not be read.</param>
    public static CniReservation Of(IReadOnlyList<string> names, Func<string, byte[]?> read)
    {
        foreach (string name in names.Where(CniNetworks.IsConfiguration).Order(StringComparer.Ordinal))
        {
            if (name is CniOrder.Usual or CniOrder.First)
                return Complete;
            if (read(name) is not { } text)
                return Unreadable(name);
            if (CniNetworks.Judge(name, text) == CniNetwork.Network)
                return Of(name, text);
        }
        return Complete;
    }

    private static CniReservation Unreadable(string name) => new($"the CNI configuration {name} cannot be read", null);

    // Judged before: it can be parsed, and its plugins have types. Others of its strings may have an unpaired surrogate.
    private static CniReservation Of(string name, byte[] text)
    {
        try
        {
            return Read(name, text);
        }
        catch (InvalidOperationException)
        {
            return Unreadable(name);
        }
    }

    private static CniReservation Read(string name, byte[] text)
    {
        using JsonDocument document = JsonDocument.Parse(text);
        JsonElement root = document.RootElement;
        IEnumerable<JsonElement> plugins = root.TryGetProperty("plugins", out JsonElement list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray() : [root];
        foreach (JsonElement plugin in plugins)
        {
            if (plugin.ValueKind == JsonValueKind.Object && plugin.TryGetProperty("ipam", out JsonElement ipam) &&
                Text(ipam, "type") == "host-local")
                return OfHostLocal(name, ipam);
        }
        return new($"whether pods get the gateway addresses of podCIDRs is not known: {name}, the CNI configuration in use, is not " +
            "HostGw's and does not name host-local", null);
    }

    // https://www.cni.dev/plugins/current/ipam/host-local/: only the gateway of a range, its first address unless it is named, is reserved.
    private static CniReservation OfHostLocal(string name, JsonElement ipam)
    {
        List<Prefix> subnets = [];
        foreach (JsonElement range in Ranges(ipam).Where(r => r.TryGetProperty("subnet", out _)))
        {
            // Plugins replace other texts, such as usePodCidr, by the podCIDR.
            if (!Prefix.TryParse(Text(range, "subnet"), out Prefix subnet))
                return Complete;
            if (Text(range, "gateway") is { Length: > 0 } gateway && gateway != $"{PodGateway.Of(subnet, isWindows: false)}")
                return new($"the CNI configuration in use, {name}, reserves {gateway} of {subnet}, and not the first address", null);
            subnets.Add(subnet.Aligned);
        }
        return new("", [.. subnets]);
    }

    private static IEnumerable<JsonElement> Ranges(JsonElement ipam)
    {
        yield return ipam;
        if (!ipam.TryGetProperty("ranges", out JsonElement sets) || sets.ValueKind != JsonValueKind.Array)
            yield break;
        foreach (JsonElement set in sets.EnumerateArray().Where(s => s.ValueKind == JsonValueKind.Array))
        {
            foreach (JsonElement range in set.EnumerateArray().Where(r => r.ValueKind == JsonValueKind.Object))
                yield return range;
        }
    }

    private static string Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) &&
        value.ValueKind == JsonValueKind.String ? value.GetString() ?? "" : "";
}
