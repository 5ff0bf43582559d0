using System.Collections.Immutable;
using System.Text.Json;
using HostGw.Planning;
using HostGw.Platform.Cni;
using HostGw.Platform.Windows.Hns;

namespace HostGw.Platform.Windows;

/// <summary>The CNI configuration for the plugin win-bridge, which sets OutBoundNAT, Windows's masquerading. Pure.</summary>
/// <remarks>https://www.cni.dev/plugins/current/main/win-bridge/</remarks>
internal static class WinBridgeConfig
{
    /// <param name="network">Name of the HNS network: the plugin finds it by the configuration's name.</param>
    public static CniFormat Format(string network) => new(
        ["host-local.exe", "win-bridge.exe"], "install the CNI plugins for Windows (github.com/containernetworking/plugins)",
        plan => Write(network, plan));

    /// <exception cref="CniException">This node has no IPv4 podCIDR, which the plugin needs.</exception>
    private static byte[] Write(string network, CniPlan plan)
    {
        Prefix podCidr = plan.PodCidrs.FirstOrDefault(p => p.IsIPv4);
        if (podCidr.IsNone)
            throw new CniException("win-bridge needs an IPv4 podCIDR, and this node has none: set cni.install to false here");
        return JsonText.Document(json =>
        {
            json.WriteString("cniVersion", "0.3.1");
            json.WriteString("name", network);
            json.WriteStartArray("plugins");
            WritePlugin(json, podCidr, plan.Policies);
            json.WriteEndArray();
        }).ToArray();
    }

    private static void WritePlugin(Utf8JsonWriter json, Prefix podCidr, PodPolicies? policies)
    {
        json.WriteStartObject();
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
        // The first address is the HNS network's gateway, the second the host's endpoint, which routes pods' packets.
        json.WriteString("gateway", PodGateway.Of(podCidr, isWindows: true).ToString());
        json.WriteString("rangeStart", podCidr.Address.Plus(3).ToString());
        json.WriteEndObject();
        WritePolicies(json, policies?.Nat, policies?.Services ?? []);
        json.WriteEndObject();
    }

    private static void WritePolicies(Utf8JsonWriter json, NatPlan? nat, ImmutableArray<Prefix> services)
    {
        json.WriteStartArray("policies");
        if (OutBoundNat.ExceptionsOf(nat) is { } exceptions)
            Policy(json, () => OutBoundNat.Write(json, exceptions));
        // Packets to Service addresses go to the host, where kube-proxy's rules apply.
        foreach (Prefix service in services.Where(s => s.IsIPv4))
        {
            Policy(json, () =>
            {
                json.WriteStartObject();
                json.WriteString("Type", "SDNRoute");
                json.WriteStartObject("Settings");
                json.WriteString("DestinationPrefix", service.ToString());
                json.WriteBoolean("NeedEncap", true);
                json.WriteEndObject();
                json.WriteEndObject();
            });
        }
        json.WriteEndArray();
    }

    private static void Policy(Utf8JsonWriter json, Action value)
    {
        json.WriteStartObject();
        json.WriteString("name", "EndpointPolicy");
        json.WritePropertyName("value");
        value();
        json.WriteEndObject();
    }
}
