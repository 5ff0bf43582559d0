using System.Text.Json;

namespace HostGw.Platform.Cni;

/// <summary>What a container runtime makes of a CNI configuration. Pure.</summary>
/// <remarks>https://github.com/containernetworking/cni/blob/main/libcni/conf.go, and containerd's go-cni, opts.go.</remarks>
internal enum CniNetwork
{
    /// <summary>It cannot be loaded.</summary>
    None,

    /// <summary>It gives pods nothing but their own loopback.</summary>
    LoopbackOnly,

    /// <summary>It gives pods a network.</summary>
    Network,
}

/// <inheritdoc cref="CniNetwork"/>
internal static class CniNetworks
{
    private const string List = ".conflist";

    // What else ends so is read as a single plugin.
    public static bool IsLookedAt(string fileName) => Path.GetExtension(fileName) is List or ".conf" or ".json";

    public static CniNetwork Judge(string fileName, ReadOnlyMemory<byte> text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            string?[] plugins = Path.GetExtension(fileName) == List ? PluginsOf(document.RootElement) : [Text(document.RootElement, "type")];
            return plugins.Length == 0 || plugins.Any(string.IsNullOrEmpty) ? CniNetwork.None
                : plugins.All(p => p == "loopback") ? CniNetwork.LoopbackOnly
                : CniNetwork.Network;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a text with half a character.
            return CniNetwork.None;
        }
    }

    private static string?[] PluginsOf(JsonElement list) =>
        !string.IsNullOrEmpty(Text(list, "name")) && list.TryGetProperty("plugins", out JsonElement plugins) && plugins.ValueKind == JsonValueKind.Array
            ? [.. plugins.EnumerateArray().Select(p => Text(p, "type"))]
            : [];

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
