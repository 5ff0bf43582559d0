using System.Collections.Immutable;
using System.Text.Json;
using HostGw.Planning;

namespace HostGw.Platform.Cni;

/// <summary>The text of our CNI configuration on Linux: ptp, host-local and portmap. Pure.</summary>
/// <remarks>https://www.cni.dev/docs/spec/#configuration-format and https://www.cni.dev/plugins/current/</remarks>
internal static class Conflist
{
    // The version that containerd 1.6 and the plugins of 2021 support; nothing newer is used.
    private const string Version = "1.0.0";

    // On tmpfs: a reboot releases all addresses.
    public const string DataDirectory = "/run/cni-ipam";

    /// <summary>The name of the network, and of the folder in <see cref="DataDirectory"/>.</summary>
    public const string Network = "hostgw";

    /// <summary>The plugins that it names, and loopback, which runtimes need.</summary>
    public static ImmutableArray<string> Plugins { get; } = ["host-local", "loopback", "portmap", "ptp"];

    public static CniFormat Format { get; } = new(Plugins, "install the package kubernetes-cni or containernetworking-plugins", Write);

    public static byte[] Write(CniPlan plan)
    {
        return JsonText.Document(json =>
        {
            json.WriteString("cniVersion", Version);
            json.WriteString("name", Network);
            json.WriteStartArray("plugins");
            WritePtp(json, plan);
            WritePortmap(json);
            json.WriteEndArray();
        }).ToArray();
    }

    // Not bridge: without br_netfilter a pod could not reach a Service whose pod is on the same node.
    // No ipMasq: HostGw installs the masquerade rule itself.
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

/// <summary>The form of our CNI configuration on one operating system.</summary>
/// <param name="Plugins">File names of the plugins that it needs.</param>
/// <param name="Install">How to install them.</param>
internal sealed record CniFormat(ImmutableArray<string> Plugins, string Install, Func<CniPlan, byte[]> Write);
