using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using HostGw.Platform.Windows.Interop;

namespace HostGw.Platform.Windows.Hns;

/// <summary>Calls the Host Networking Service (HNS).</summary>
[SupportedOSPlatform("windows")]
internal static class HnsClient
{
    private delegate uint Ask(out nint answer, out nint error);

    private delegate uint Open(in Guid id, out nint handle, out nint error);

    private delegate uint Query(nint handle, string query, out nint answer, out nint error);

    /// <param name="unreadable">Gets the errors of those that are left out because they cannot be read.</param>
    /// <exception cref="WindowsException">HNS answered with an error, does not run, or lets none of them be read.</exception>
    public static List<HnsNetwork> Networks(List<WindowsException>? unreadable = null)
    {
        string ids = Text("list HNS networks", (out nint answer, out nint error) =>
            ComputeNetwork.HcnEnumerateNetworks(HnsDocuments.Query, out answer, out error));
        return [.. Read(
            "network", ids, ComputeNetwork.HcnOpenNetwork, ComputeNetwork.HcnQueryNetworkProperties, ComputeNetwork.HcnCloseNetwork,
            unreadable).Select(HnsObjects.ReadNetwork)];
    }

    /// <inheritdoc cref="Networks"/>
    public static List<HnsEndpoint> Endpoints(List<WindowsException>? unreadable = null)
    {
        string ids = Text("list HNS endpoints", (out nint answer, out nint error) =>
            ComputeNetwork.HcnEnumerateEndpoints(HnsDocuments.Query, out answer, out error));
        return [.. Read(
            "endpoint", ids, ComputeNetwork.HcnOpenEndpoint, ComputeNetwork.HcnQueryEndpointProperties, ComputeNetwork.HcnCloseEndpoint,
            unreadable).Select(HnsObjects.ReadEndpoint)];
    }

    /// <inheritdoc cref="Networks"/>
    public static void CreateNetwork(string settings)
    {
        uint result = ComputeNetwork.HcnCreateNetwork(Guid.NewGuid(), settings, out nint handle, out nint error);
        Require("create the HNS network", result, error);
        _ = ComputeNetwork.HcnCloseNetwork(handle);
    }

    /// <inheritdoc cref="Networks"/>
    public static void CreateEndpoint(Guid network, string settings)
    {
        Require("open the HNS network", ComputeNetwork.HcnOpenNetwork(network, out nint parent, out nint error), error);
        try
        {
            uint result = ComputeNetwork.HcnCreateEndpoint(parent, Guid.NewGuid(), settings, out nint handle, out error);
            Require("create the HNS endpoint", result, error);
            _ = ComputeNetwork.HcnCloseEndpoint(handle);
        }
        finally
        {
            _ = ComputeNetwork.HcnCloseNetwork(parent);
        }
    }

    /// <inheritdoc cref="Networks"/>
    public static void ModifyEndpoint(Guid endpoint, string settings)
    {
        Require("open the HNS endpoint", ComputeNetwork.HcnOpenEndpoint(endpoint, out nint handle, out nint error), error);
        try
        {
            Require("change the HNS endpoint", ComputeNetwork.HcnModifyEndpoint(handle, settings, out error), error);
        }
        finally
        {
            _ = ComputeNetwork.HcnCloseEndpoint(handle);
        }
    }

    /// <summary>Makes an endpoint an interface of the host; success where it is one already.</summary>
    /// <inheritdoc cref="Networks"/>
    public static void AttachToHost(Guid endpoint)
    {
        string ids = Text("list HNS namespaces", (out nint answer, out nint error) =>
            ComputeNetwork.HcnEnumerateNamespaces(HnsDocuments.Query, out answer, out error));
        List<WindowsException> unreadable = [];
        Guid host = Read(
            "namespace", ids, ComputeNetwork.HcnOpenNamespace, ComputeNetwork.HcnQueryNamespaceProperties, ComputeNetwork.HcnCloseNamespace,
            unreadable).Select(HnsObjects.ReadNamespace).FirstOrDefault(n => n.Type == "HostDefault").Id;
        if (host == default)
            throw unreadable.FirstOrDefault() ?? new("find the host's HNS namespace", Win32Error.ERROR_NOT_FOUND);
        Require("open the host's HNS namespace", ComputeNetwork.HcnOpenNamespace(host, out nint handle, out nint error), error);
        try
        {
            uint result = ComputeNetwork.HcnModifyNamespace(handle, HnsDocuments.AddToNamespace(endpoint), out error);
            Require("attach the HNS endpoint", result == HnsError.HCN_E_ENDPOINT_ALREADY_ATTACHED ? 0 : result, error);
        }
        finally
        {
            _ = ComputeNetwork.HcnCloseNamespace(handle);
        }
    }

    // One object that cannot be read must not hide the others.
    private static List<string> Read(
        string kind, string ids, Open open, Query query, Func<nint, uint> close, List<WindowsException>? unreadable)
    {
        List<string> all = [];
        List<WindowsException> failed = [];
        foreach (Guid id in HnsObjects.ReadIds(ids))
        {
            try
            {
                all.Add(Read(kind, id, open, query, close));
            }
            catch (WindowsException e) when (e.IsNotFound)
            {
                // Deleted since the list was read.
            }
            catch (WindowsException e) when (!e.IsDenied)
            {
                failed.Add(e);
            }
        }
        if (all.Count == 0 && failed.Count > 0)
            throw failed[0];
        unreadable?.AddRange(failed);
        return all;
    }

    private static string Read(string kind, Guid id, Open open, Query query, Func<nint, uint> close)
    {
        Require($"open HNS {kind} {id}", open(id, out nint handle, out nint error), error);
        try
        {
            return Text(
                $"query HNS {kind} {id}", (out nint answer, out nint error) => query(handle, HnsDocuments.Query, out answer, out error));
        }
        finally
        {
            _ = close(handle);
        }
    }

    private static string Text(string what, Ask ask)
    {
        uint result = ask(out nint answer, out nint error);
        string text = Take(answer);
        Require(what, result, error);
        return text;
    }

    /// <param name="error">The error record, which is freed.</param>
    /// <exception cref="WindowsException">The result is an error.</exception>
    public static void Require(string what, uint result, nint error)
    {
        string record = Take(error);
        if (result != 0)
            throw new WindowsException(what, result, record.Length > 0 ? record : null);
    }

    /// <summary>A string that HNS returned; it is freed.</summary>
    public static string Take(nint text)
    {
        string taken = Marshal.PtrToStringUni(text) ?? "";
        Marshal.FreeCoTaskMem(text);
        return taken;
    }
}
