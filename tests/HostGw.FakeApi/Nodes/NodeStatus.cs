using System.Text.Json.Nodes;
using HostGw.FakeApi.Storage;

namespace HostGw.FakeApi.Nodes;

/// <summary>The status a kubelet reports.</summary>
internal static class NodeStatus
{
    public static JsonObject Of(NodeSpec spec) => new()
    {
        ["capacity"] = Capacity(),
        ["allocatable"] = Capacity(),
        ["conditions"] = new JsonArray(
            Condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
            Condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
            Condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
            spec.Ready
                ? Condition("Ready", "True", "KubeletReady", "kubelet is posting ready status")
                : Condition("Ready", "False", "KubeletNotReady", "container runtime network not ready")),
        ["addresses"] = Addresses(spec),
        ["daemonEndpoints"] = new JsonObject { ["kubeletEndpoint"] = new JsonObject { ["Port"] = 10250 } },
        ["nodeInfo"] = NodeInfo(spec),
    };

    private static JsonArray Addresses(NodeSpec spec) =>
    [
        .. spec.InternalIPs.Select(a => Address("InternalIP", a)),
        .. spec.ExternalIPs.Select(a => Address("ExternalIP", a)),
        Address("Hostname", spec.Name),
    ];

    private static JsonObject Address(string type, string address) => new() { ["type"] = type, ["address"] = address };

    private static JsonObject Capacity() => new()
    {
        ["cpu"] = "4",
        ["ephemeral-storage"] = "101430960Ki",
        ["hugepages-2Mi"] = "0",
        ["memory"] = "16265868Ki",
        ["pods"] = "110",
    };

    private static JsonObject Condition(string type, string status, string reason, string message)
    {
        string now = JsonFields.Time(DateTimeOffset.UtcNow);
        return new JsonObject
        {
            ["type"] = type,
            ["status"] = status,
            ["lastHeartbeatTime"] = now,
            ["lastTransitionTime"] = now,
            ["reason"] = reason,
            ["message"] = message,
        };
    }

    private static JsonObject NodeInfo(NodeSpec spec)
    {
        bool windows = spec.OperatingSystem == "windows";
        return new JsonObject
        {
            ["machineID"] = "3b6ec1f1b1d14c5aa9d0a3ffb5d7b1c2",
            ["systemUUID"] = "3b6ec1f1-b1d1-4c5a-a9d0-a3ffb5d7b1c2",
            ["bootID"] = "5a8d5cf0-0b5c-4f5d-8f0e-6f2f4f3f2c11",
            ["kernelVersion"] = windows ? "10.0.20348.2700" : "6.8.0-45-generic",
            ["osImage"] = windows ? "Windows Server 2022 Datacenter" : "Ubuntu 24.04.1 LTS",
            ["containerRuntimeVersion"] = "containerd://1.7.22",
            ["kubeletVersion"] = "v1.34.0",
            ["kubeProxyVersion"] = "",
            ["operatingSystem"] = spec.OperatingSystem,
            ["architecture"] = "amd64",
        };
    }
}
