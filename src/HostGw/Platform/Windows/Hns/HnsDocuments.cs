using System.Text;
using System.Text.Json;
using HostGw.Planning;

namespace HostGw.Platform.Windows.Hns;

/// <summary>What HNS is asked for, as JSON of its schema 2. Pure.</summary>
/// <remarks>https://learn.microsoft.com/windows-server/networking/technologies/hcn/hcn-json-document-schemas</remarks>
internal static class HnsDocuments
{
    /// <summary>Everything of a kind.</summary>
    public static string Query { get; } = Write(json =>
    {
        Version(json);
        json.WriteNumber("Flags", 0);
    });

    /// <summary>The network of a podCIDR, bridged to the segment of an adapter, its first address the gateway.</summary>
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

    /// <summary>The host's own end of that network: the second address, which peers take for the gateway to a Windows node's pods.</summary>
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

    /// <summary>Puts an endpoint into a namespace; into that of type HostDefault: it becomes an interface of the host.</summary>
    public static string AddToNamespace(Guid endpoint) => Write(json =>
    {
        json.WriteString("ResourceType", "Endpoint");
        json.WriteString("RequestType", "Add");
        json.WriteStartObject("Settings");
        json.WriteString("EndpointId", endpoint.ToString());
        json.WriteEndObject();
    });

    /// <summary>Has an endpoint's policy OutBoundNAT replaced, or made; policies of other types stay.</summary>
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

    private static string Write(Action<Utf8JsonWriter> members) => Encoding.UTF8.GetString(JsonForm.Object(members).Span);
}
