using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace HostGw.Platform.Windows.Interop;

/// <summary>The functions of computenetwork.h, under their native names. No logic here: see <c>HnsClient</c>.</summary>
/// <remarks>
/// The caller frees returned strings with CoTaskMemFree.
/// https://learn.microsoft.com/windows-server/networking/technologies/hcn/hcn-top
/// </remarks>
[SupportedOSPlatform("windows")]
internal static partial class ComputeNetwork
{
    public const string Library = "computenetwork.dll";

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    public static partial uint HcnEnumerateNetworks(string query, out nint networks, out nint errorRecord);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    public static partial uint HcnCreateNetwork(in Guid id, string settings, out nint network, out nint errorRecord);

    [LibraryImport(Library)]
    public static partial uint HcnOpenNetwork(in Guid id, out nint network, out nint errorRecord);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    public static partial uint HcnQueryNetworkProperties(nint network, string query, out nint properties, out nint errorRecord);

    [LibraryImport(Library)]
    public static partial uint HcnCloseNetwork(nint network);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    public static partial uint HcnEnumerateEndpoints(string query, out nint endpoints, out nint errorRecord);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    public static partial uint HcnCreateEndpoint(nint network, in Guid id, string settings, out nint endpoint, out nint errorRecord);

    [LibraryImport(Library)]
    public static partial uint HcnOpenEndpoint(in Guid id, out nint endpoint, out nint errorRecord);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    public static partial uint HcnModifyEndpoint(nint endpoint, string settings, out nint errorRecord);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    public static partial uint HcnQueryEndpointProperties(nint endpoint, string query, out nint properties, out nint errorRecord);

    [LibraryImport(Library)]
    public static partial uint HcnCloseEndpoint(nint endpoint);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    public static partial uint HcnEnumerateNamespaces(string query, out nint namespaces, out nint errorRecord);

    [LibraryImport(Library)]
    public static partial uint HcnOpenNamespace(in Guid id, out nint handle, out nint errorRecord);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    public static partial uint HcnQueryNamespaceProperties(nint handle, string query, out nint properties, out nint errorRecord);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf16)]
    public static partial uint HcnModifyNamespace(nint handle, string settings, out nint errorRecord);

    [LibraryImport(Library)]
    public static partial uint HcnCloseNamespace(nint handle);
}
