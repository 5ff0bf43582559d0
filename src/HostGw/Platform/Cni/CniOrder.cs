using System.Text.Json;

namespace HostGw.Platform.Cni;

/// <summary>Which configuration the container runtime uses: the first by name that it can load. Pure.</summary>
/// <param name="Other">The file of another plugin that takes precedence; null: HostGw's does.</param>
/// <param name="Problem">A file before HostGw's that makes the runtime ignore HostGw's, with the cure; null: none.</param>
internal sealed record CniOrder(string? Other, string? Problem)
{
    public const string Usual = "10-hostgw.conflist";
    public const string First = "00-hostgw.conflist";

    /// <param name="own">The name of HostGw's file.</param>
    /// <param name="isInstalled">The runtime already uses it: files after it change nothing.</param>
    /// <param name="names">All files of the directory.</param>
    /// <param name="read">A file's text; empty where it is gone; null where it may not be read.</param>
    public static CniOrder Of(string own, bool isInstalled, IReadOnlyList<string> names, Func<string, byte[]?> read)
    {
        string? problem = null;
        string[] others = [.. names.Where(n => CniNetworks.IsConfiguration(n) && n is not (Usual or First)).Order(StringComparer.Ordinal)];
        foreach (string name in others.Where(n => string.CompareOrdinal(n, own) < 0))
        {
            // A file that we may not read counts as another plugin's.
            if (read(name) is not { } text)
                return new(name, null);
            switch (CniNetworks.Judge(name, text))
            {
                case CniNetwork.Network:
                    return new(name, null);
                case CniNetwork.LoopbackOnly:
                    problem ??= $"{name} comes before {own} and holds only loopback: a runtime takes it for the pods' network; " +
                        $"rename it to 99-{name.TrimStart("0123456789-".ToCharArray())}";
                    break;
                default:
                    problem ??= $"{name} comes before {own} and is no CNI configuration: containerd then loads none at all; remove it";
                    break;
            }
        }
        // Pods already use that plugin; installing HostGw's before it would move new pods to another network.
        string? later = isInstalled || own == First ? null
            : others.FirstOrDefault(n => string.CompareOrdinal(n, own) > 0 && IsClusterNetwork(n) &&
                (read(n) is not { } text || CniNetworks.Judge(n, text) == CniNetwork.Network));
        return new(later, problem);
    }

    // 10-kindnet, 10-kuberouter, 10-weave; not the files that runtimes install for themselves: 87-podman, 100-crio, 11-crio, nerdctl.
    private static bool IsClusterNetwork(string name) =>
        name is [>= '0' and < '5', >= '0' and <= '9', '-', ..] && !name.Contains("crio", StringComparison.Ordinal);
}

/// <summary>What a container runtime does with a CNI configuration.</summary>
/// <remarks>https://github.com/containernetworking/cni/blob/main/libcni/conf.go, and containerd's go-cni, opts.go.</remarks>
internal enum CniNetwork
{
    /// <summary>It cannot be loaded.</summary>
    None,

    /// <summary>It gives pods loopback only.</summary>
    LoopbackOnly,

    /// <summary>It gives pods a network.</summary>
    Network,
}

/// <summary>Reads CNI configurations as runtimes do. Pure.</summary>
internal static class CniNetworks
{
    private const string List = ".conflist";

    /// <summary>Runtimes read files with these extensions; all but .conflist hold a single plugin.</summary>
    public static bool IsConfiguration(string fileName) => Path.GetExtension(fileName) is List or ".conf" or ".json";

    public static CniNetwork Judge(string fileName, ReadOnlyMemory<byte> text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            JsonElement root = document.RootElement;
            string?[] plugins = Path.GetExtension(fileName) == List ? PluginsOf(root) : [Text(root, "type")];
            return plugins.Length == 0 || plugins.Any(string.IsNullOrEmpty) ? CniNetwork.None
                : plugins.All(p => p == "loopback") ? CniNetwork.LoopbackOnly
                : CniNetwork.Network;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string with an unpaired surrogate.
            return CniNetwork.None;
        }
    }

    private static string?[] PluginsOf(JsonElement list) =>
        !string.IsNullOrEmpty(Text(list, "name")) && list.TryGetProperty("plugins", out JsonElement plugins)
            && plugins.ValueKind == JsonValueKind.Array
            ? [.. plugins.EnumerateArray().Select(p => Text(p, "type"))]
            : [];

    private static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value)
        && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
