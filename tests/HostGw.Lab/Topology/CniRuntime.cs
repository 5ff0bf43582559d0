using System.Text.Json.Nodes;
using HostGw.Lab.Network;

namespace HostGw.Lab.Topology;

/// <summary>Does on one node what a container runtime does with a CNI configuration: runs its plugins for a pod, one after the other.</summary>
/// <remarks>https://www.cni.dev/docs/spec/#section-3-execution-of-network-configurations</remarks>
public sealed class CniRuntime(Node node, string configuration)
{
    /// <summary>Where Debian's containernetworking-plugins are.</summary>
    public const string Plugins = "/usr/lib/cni";

    /// <summary>Makes a pod with the addresses that the plugins give it.</summary>
    /// <param name="hostPort">A UDP port that leads to the pod from outside; null: none.</param>
    /// <param name="prepare">Does something to the pod's namespace before the plugins.</param>
    public Pod Add(string name, int? hostPort = null, Action<NetworkNamespace>? prepare = null)
    {
        var network = new NetworkNamespace($"{node.Name}-{name}");
        NetworkNamespace.Create([network.Name]);
        prepare?.Invoke(network);
        JsonNode? result = null;
        foreach (JsonObject plugin in Chain())
            result = JsonNode.Parse(Run("ADD", network, plugin, result, hostPort));
        return new(network, [.. result!["ips"]!.AsArray().Select(ip => IPAddress.Parse(((string)ip!["address"]!).Split('/')[0]))]);
    }

    /// <summary>Removes a pod as <see cref="Add"/> made it.</summary>
    public void Delete(Pod pod)
    {
        pod.Dispose();
        foreach (JsonObject plugin in Chain().Reverse())
            Run("DEL", pod.Network, plugin, null, null);
        NetworkNamespace.Delete([pod.Name]);
    }

    private JsonObject[] Chain()
    {
        JsonObject list = JsonNode.Parse(File.ReadAllText(configuration))!.AsObject();
        return [.. list["plugins"]!.AsArray().Select(p =>
        {
            JsonObject plugin = p!.DeepClone().AsObject();
            plugin["name"] = (string?)list["name"];
            plugin["cniVersion"] = (string?)list["cniVersion"];
            return plugin;
        })];
    }

    private string Run(string command, NetworkNamespace pod, JsonObject plugin, JsonNode? previous, int? hostPort)
    {
        if (previous is not null)
            plugin["prevResult"] = previous.DeepClone();
        if (hostPort is { } port && (bool?)plugin["capabilities"]?["portMappings"] == true)
            plugin["runtimeConfig"] = new JsonObject { ["portMappings"] = new JsonArray(new JsonObject { ["hostPort"] = port, ["containerPort"] = port, ["protocol"] = "udp" }) };
        plugin.Remove("capabilities");
        return Command.RunWithInput(plugin.ToJsonString(), "ip",
        [
            "netns", "exec", node.Name, "env", $"CNI_COMMAND={command}", $"CNI_CONTAINERID={pod.Name}", $"CNI_NETNS=/run/netns/{pod.Name}",
            "CNI_IFNAME=eth0", $"CNI_PATH={Plugins}", $"{Plugins}/{(string?)plugin["type"]}",
        ]);
    }
}
