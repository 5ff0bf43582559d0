using System.Runtime.Versioning;
using System.Text.Json;
using HostGw.Platform.Windows.Hns;
using HostGw.Platform.Windows.Interop;
using Microsoft.Win32;

namespace HostGw.Windows.Tests.OnWindows;

/// <summary>The HNS objects of these tests, which have <see cref="Machine.Name"/> for a name.</summary>
[SupportedOSPlatform("windows")]
internal static class TestObjects
{
    private const string Service = @"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\hns";

    /// <exception cref="NotAskedException">This Windows has no HNS.</exception>
    public static void RequireHns()
    {
        if (!Machine.IsWine && Registry.GetValue(Service, "Start", null) is null)
            throw new NotAskedException("this Windows has no Host Networking Service: install the feature Containers");
    }

    public static void Remove()
    {
        foreach (HnsEndpoint endpoint in HnsClient.Endpoints().Where(e => e.Name.StartsWith(Machine.Name, StringComparison.Ordinal)))
            HnsClient.Require("delete the HNS endpoint", WindowsApi.HcnDeleteEndpoint(endpoint.Id, out nint error), error);
        foreach (HnsNetwork network in HnsClient.Networks().Where(n => n.Name == Machine.Name))
            HnsClient.Require("delete the HNS network", WindowsApi.HcnDeleteNetwork(network.Id, out nint error), error);
    }

    /// <summary>The policies of an endpoint, as HNS writes them.</summary>
    public static IReadOnlyList<string> Policies(Guid endpoint)
    {
        HnsClient.Require("open the HNS endpoint", ComputeNetwork.HcnOpenEndpoint(endpoint, out nint handle, out nint error), error);
        try
        {
            uint result = ComputeNetwork.HcnQueryEndpointProperties(handle, HnsDocuments.Query, out nint answer, out error);
            string json = HnsClient.Take(answer);
            HnsClient.Require("query the HNS endpoint", result, error);
            using var document = JsonDocument.Parse(json);
            return document.RootElement.TryGetProperty("Policies", out JsonElement policies) && policies.ValueKind == JsonValueKind.Array
                ? [.. policies.EnumerateArray().Select(p => p.GetRawText())]
                : [];
        }
        finally
        {
            _ = ComputeNetwork.HcnCloseEndpoint(handle);
        }
    }
}
