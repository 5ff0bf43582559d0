using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using HostGw.Planning;

namespace HostGw.Platform.Windows;

/// <summary>The CNI configuration of this node's pods for the plugin win-bridge, whose OutBoundNAT is the masquerade rule of Windows. Pure.</summary>
/// <remarks>https://www.cni.dev/plugins/current/main/win-bridge/</remarks>
internal static class WinBridgeConfig
{
    private static readonly Prefix Multicast = Prefix.Parse("224.0.0.0/4");

    /// <param name="network">Name of the HNS network.</param>
    /// <param name="nat">Null: pods keep their address everywhere.</param>
    public static string Write(string network, Prefix podCidr, NatPlan? nat, ImmutableArray<Prefix> serviceCidrs)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, JsonForm.Readable))
        {
            json.WriteStartObject();
            json.WriteString("cniVersion", "0.3.1");
            json.WriteString("name", network);
            json.WriteString("type", "win-bridge");
            json.WriteNumber("apiVersion", 2);
            json.WriteBoolean("loopbackDSR", true);
            json.WriteStartObject("capabilities");
            json.WriteBoolean("portMappings", true);
            json.WriteBoolean("dns", true);
            json.WriteEndObject();
            json.WriteStartObject("ipam");
            json.WriteString("type", "host-local");
            json.WriteString("subnet", podCidr.ToString());
            // The first address is the network's own gateway, the second the host's end of it: pods' packets go there.
            json.WriteString("gateway", PodGateway.Of(podCidr, isWindows: true).ToString());
            json.WriteString("rangeStart", podCidr.Address.Plus(3).ToString());
            json.WriteEndObject();
            WritePolicies(json, nat, serviceCidrs);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan) + "\n";
    }

    private static void WritePolicies(Utf8JsonWriter json, NatPlan? nat, ImmutableArray<Prefix> serviceCidrs)
    {
        json.WriteStartArray("policies");
        if (nat is { IPv4: true })
        {
            Policy(json, "OutBoundNAT", () =>
            {
                json.WriteStartArray("Exceptions");
                foreach (Prefix exempt in nat.Exempt.Concat(serviceCidrs).Where(p => p.IsIPv4 && p != Multicast))
                    json.WriteStringValue(exempt.ToString());
                json.WriteEndArray();
            });
        }
        // Services' addresses lead to the host, which knows their endpoints.
        foreach (Prefix service in serviceCidrs.Where(s => s.IsIPv4))
        {
            Policy(json, "SDNRoute", () =>
            {
                json.WriteString("DestinationPrefix", service.ToString());
                json.WriteBoolean("NeedEncap", true);
            });
        }
        json.WriteEndArray();
    }

    private static void Policy(Utf8JsonWriter json, string type, Action settings)
    {
        json.WriteStartObject();
        json.WriteString("name", "EndpointPolicy");
        json.WriteStartObject("value");
        json.WriteString("Type", type);
        json.WriteStartObject("Settings");
        settings();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
