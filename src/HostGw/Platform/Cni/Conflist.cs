using System.Collections.Immutable;
using System.Text.Json;
using HostGw.Planning;

namespace HostGw.Platform.Cni;

/// <summary>The text of our CNI configuration. Pure.</summary>
/// <remarks>https://www.cni.dev/docs/spec/#configuration-format, and of ptp, host-local and portmap https://www.cni.dev/plugins/current/</remarks>
internal static class Conflist
{
    // What containerd 1.6 and the plugins of 2021 know; nothing newer is used.
    private const string Version = "1.0.0";

    // On tmpfs: addresses given out before a reboot belong to nobody after it.
    private const string DataDirectory = "/run/cni-ipam";

    /// <summary>The plugins that it names, and the one that runtimes need besides.</summary>
    public static ImmutableArray<string> Plugins { get; } = ["host-local", "loopback", "portmap", "ptp"];

    public static CniFormat Format { get; } = new(Plugins, "install the package kubernetes-cni or containernetworking-plugins", Write);

    public static byte[] Write(CniPlan plan)
    {
        return JsonForm.Document(json =>
        {
            json.WriteString("cniVersion", Version);
            json.WriteString("name", "hostgw");
            json.WriteStartArray("plugins");
            WritePtp(json, plan);
            WritePortmap(json);
            json.WriteEndArray();
        }).ToArray();
    }

    // Not bridge: a pod would reach no Service whose pod is on the same node without br_netfilter. No ipMasq: that is our own rule's.
    private static void WritePtp(Utf8JsonWriter json, CniPlan plan)
    {
        json.WriteStartObject();
        json.WriteString("type", "ptp");
        json.WriteNumber("mtu", plan.Mtu);
        json.WriteStartObject("ipam");
        json.WriteString("type", "host-local");
        json.WriteString("dataDir", DataDirectory);
        json.WriteStartArray("ranges");
        foreach (Prefix podCidr in plan.PodCidrs)
        {
            json.WriteStartArray();
            WriteObject(json, "subnet", podCidr.ToString());
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteStartArray("routes");
        foreach (bool ipv4 in plan.PodCidrs.Select(p => p.IsIPv4).Distinct())
            WriteObject(json, "dst", ipv4 ? "0.0.0.0/0" : "::/0");
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WritePortmap(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type", "portmap");
        json.WriteStartObject("capabilities");
        json.WriteBoolean("portMappings", true);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteObject(Utf8JsonWriter json, string name, string value)
    {
        json.WriteStartObject();
        json.WriteString(name, value);
        json.WriteEndObject();
    }
}
