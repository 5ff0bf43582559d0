using System.Collections.Immutable;
using System.Text.Json;
using HostGw.Planning;

namespace HostGw.Platform.Windows.Hns;

/// <summary>A network as HNS has it.</summary>
/// <param name="Subnet">The first one; none where there is none that can be read.</param>
/// <param name="Gateway">Of that subnet's default route.</param>
internal sealed record HnsNetwork(Guid Id, string Name, string Type, Prefix Subnet, Ip Gateway);

/// <summary>An endpoint as HNS has it.</summary>
/// <param name="Namespace">Empty: it is attached to none.</param>
internal sealed record HnsEndpoint(Guid Id, string Name, Guid Network, Guid Namespace, Ip Address)
{
    /// <summary>It stands for a pod of another host.</summary>
    public bool IsRemote { get; init; }

    /// <summary>Of each policy OutBoundNAT, the destinations that it leaves alone.</summary>
    public ImmutableArray<ImmutableArray<string>> NatExceptions { get; init; } = [];
}

/// <summary>What HNS answers, read from its JSON. Pure; what is missing or of another shape reads as none, what is no JSON is a <see cref="WindowsException"/>.</summary>
internal static class HnsObjects
{
    private const uint RemoteEndpoint = 1;

    public static HnsNetwork ReadNetwork(string json) => Read<HnsNetwork>(json, root =>
    {
        JsonElement subnet = First(First(root, "Ipams"), "Subnets");
        _ = Prefix.TryParse(Text(subnet, "IpAddressPrefix"), out Prefix prefix);
        _ = Ip.TryParse(Text(First(subnet, "Routes"), "NextHop"), out Ip gateway);
        return new(Id(root, "ID"), Text(root, "Name"), Text(root, "Type"), prefix, gateway);
    });

    public static HnsEndpoint ReadEndpoint(string json) => Read<HnsEndpoint>(json, root =>
    {
        _ = Ip.TryParse(Text(First(root, "IpConfigurations"), "IpAddress"), out Ip address);
        return new(Id(root, "ID"), Text(root, "Name"), Id(root, "HostComputeNetwork"), Id(root, "HostComputeNamespace"), address)
        {
            IsRemote = Member(root, "Flags") is { ValueKind: JsonValueKind.Number } flags && flags.TryGetUInt32(out uint bits) && (bits & RemoteEndpoint) != 0,
            NatExceptions = [.. All(root, "Policies").Where(p => Text(p, "Type") == OutBoundNat.PolicyType).Select(p => Texts(Member(p, "Settings"), "Exceptions"))],
        };
    });

    public static (Guid Id, string Type) ReadNamespace(string json) => Read(json, root => (Id(root, "ID"), Text(root, "Type")));

    /// <summary>The list of ids that an enumeration gives.</summary>
    public static ImmutableArray<Guid> ReadIds(string json) => Read(json.Length > 0 ? json : "[]", root => root.ValueKind == JsonValueKind.Array
        ? [.. root.EnumerateArray().Select(e => e.ValueKind == JsonValueKind.String && Guid.TryParse(e.GetString(), out Guid id) ? id : default).Where(i => i != default)]
        : ImmutableArray<Guid>.Empty);

    private static T Read<T>(string json, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            // InvalidOperationException, ArgumentException: a text with half a character.
            throw new WindowsException("read what HNS answered", Win32Error.ERROR_INVALID_DATA, e.Message);
        }
    }

    private static JsonElement[] All(JsonElement element, string name) =>
        Member(element, name) is { ValueKind: JsonValueKind.Array } array ? [.. array.EnumerateArray()] : [];

    private static ImmutableArray<string> Texts(JsonElement element, string name) =>
        [.. All(element, name).Where(e => e.ValueKind == JsonValueKind.String).Select(e => e.GetString()!)];

    private static JsonElement First(JsonElement element, string name) =>
        Member(element, name) is { ValueKind: JsonValueKind.Array } array && array.GetArrayLength() > 0 ? array[0] : default;

    private static string Text(JsonElement element, string name) =>
        Member(element, name) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : "";

    private static Guid Id(JsonElement element, string name) => Guid.TryParse(Text(element, name), out Guid id) ? id : default;

    private static JsonElement Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement member) ? member : default;
}
