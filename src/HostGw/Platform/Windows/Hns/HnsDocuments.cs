using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using HostGw.Planning;

namespace HostGw.Platform.Windows.Hns;

/// <summary>The requests to HNS, as JSON of its schema 2. Pure.</summary>
/// <remarks>https://learn.microsoft.com/windows-server/networking/technologies/hcn/hcn-json-document-schemas</remarks>
internal static class HnsDocuments
{
    /// <summary>Asks for all objects of a kind.</summary>
    public static string Query { get; } = Write(json =>
    {
        Version(json);
        json.WriteNumber("Flags", 0);
    });

    /// <summary>Creates the network of a podCIDR, bridged to an adapter's segment; its gateway is the first address.</summary>
    /// <param name="adapter">The physical adapter; empty: HNS chooses.</param>
    public static string Network(string name, Prefix podCidr, string adapter) => Write(json =>
    {
        json.WriteString("Name", name);
        json.WriteString("Type", "L2Bridge");
        json.WriteStartArray("Ipams");
        json.WriteStartObject();
        json.WriteString("Type", "Static");
        json.WriteStartArray("Subnets");
        json.WriteStartObject();
        json.WriteString("IpAddressPrefix", podCidr.ToString());
        json.WriteStartArray("Routes");
        json.WriteStartObject();
        json.WriteString("NextHop", PodGateway.Of(podCidr, isWindows: false).ToString());
        json.WriteString("DestinationPrefix", "0.0.0.0/0");
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteStartArray("Policies");
        if (adapter.Length > 0)
        {
            json.WriteStartObject();
            json.WriteString("Type", "NetAdapterName");
            json.WriteStartObject("Settings");
            json.WriteString("NetworkAdapterName", adapter);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteNumber("Flags", 0);
        Version(json);
    });

    /// <summary>Creates the host's endpoint in that network. Its address, the second, is a Windows node's pod gateway for peers.</summary>
    public static string HostEndpoint(string name, Guid network, Prefix podCidr) => Write(json =>
    {
        json.WriteString("Name", name);
        json.WriteString("HostComputeNetwork", network.ToString());
        json.WriteStartArray("IpConfigurations");
        json.WriteStartObject();
        json.WriteString("IpAddress", PodGateway.Of(podCidr, isWindows: true).ToString());
        json.WriteNumber("PrefixLength", podCidr.Length);
        json.WriteEndObject();
        json.WriteEndArray();
        Version(json);
    });

    /// <summary>Adds an endpoint to a namespace. In the one of type HostDefault it becomes an interface of the host.</summary>
    public static string AddToNamespace(Guid endpoint) => Write(json =>
    {
        json.WriteString("ResourceType", "Endpoint");
        json.WriteString("RequestType", "Add");
        json.WriteStartObject("Settings");
        json.WriteString("EndpointId", endpoint.ToString());
        json.WriteEndObject();
    });

    /// <summary>Sets an endpoint's policy OutBoundNAT. Policies of other types are kept.</summary>
    public static string UpdateNat(IReadOnlyList<string> exceptions) => Write(json =>
    {
        json.WriteString("ResourceType", "Policy");
        json.WriteString("RequestType", "Update");
        json.WriteStartObject("Settings");
        json.WriteStartArray("Policies");
        OutBoundNat.Write(json, exceptions);
        json.WriteEndArray();
        json.WriteEndObject();
    });

    private static void Version(Utf8JsonWriter json)
    {
        json.WriteStartObject("SchemaVersion");
        json.WriteNumber("Major", 2);
        json.WriteNumber("Minor", 0);
        json.WriteEndObject();
    }

    private static string Write(Action<Utf8JsonWriter> members) => Encoding.UTF8.GetString(JsonText.Object(members).Span);
}

/// <summary>An HNS network.</summary>
/// <param name="Subnet">The first one; none if it is missing or unreadable.</param>
/// <param name="Gateway">The next hop of that subnet's first route.</param>
internal sealed record HnsNetwork(Guid Id, string Name, string Type, Prefix Subnet, Ip Gateway);

/// <summary>An HNS endpoint.</summary>
/// <param name="Namespace">Empty: it is attached to none.</param>
internal sealed record HnsEndpoint(Guid Id, string Name, Guid Network, Guid Namespace, Ip Address)
{
    /// <summary>It represents a pod on another host.</summary>
    public bool IsRemote { get; init; }

    /// <summary>The exceptions of each policy OutBoundNAT: destinations that are not masqueraded.</summary>
    public ImmutableArray<ImmutableArray<string>> NatExceptions { get; init; } = [];
}

/// <summary>Reads HNS's answers. A missing or malformed member reads as none. Pure.</summary>
/// <remarks>All methods throw <see cref="WindowsException"/> for text that is not JSON.</remarks>
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
            IsRemote = Member(root, "Flags") is { ValueKind: JsonValueKind.Number } flags
                && flags.TryGetUInt32(out uint bits) && (bits & RemoteEndpoint) != 0,
            NatExceptions = [.. All(root, "Policies").Where(p => Text(p, "Type") == OutBoundNat.PolicyType)
                .Select(p => Texts(Member(p, "Settings"), "Exceptions"))],
        };
    });

    public static (Guid Id, string Type) ReadNamespace(string json) => Read(json, root => (Id(root, "ID"), Text(root, "Type")));

    /// <summary>The ids in the answer to an enumeration.</summary>
    public static ImmutableArray<Guid> ReadIds(string json) => Read(json.Length > 0 ? json : "[]", root =>
        root.ValueKind == JsonValueKind.Array
            ? [.. root.EnumerateArray().Select(ReadId).Where(i => i != default)]
            : ImmutableArray<Guid>.Empty);

    private static Guid ReadId(JsonElement element) =>
        element.ValueKind == JsonValueKind.String && Guid.TryParse(element.GetString(), out Guid id) ? id : default;

    private static T Read<T>(string json, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return read(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            // InvalidOperationException, ArgumentException: a string with an unpaired surrogate.
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
