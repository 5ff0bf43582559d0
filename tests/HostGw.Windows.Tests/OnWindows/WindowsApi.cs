using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using HostGw.Platform.Windows.Interop;
using Microsoft.Win32.SafeHandles;

namespace HostGw.Windows.Tests.OnWindows;

/// <summary>Functions of Windows for what the agent does not do: addresses, removal of HNS objects, tokens, console events.</summary>
[SupportedOSPlatform("windows")]
internal static unsafe partial class WindowsApi
{
    /// <summary>CreateRestrictedToken: the rights that a filtered token of User Account Control has.</summary>
    public const uint LUA_TOKEN = 4;

    public const uint TOKEN_ALL_ACCESS = 0xF01FF;

    [LibraryImport(IpHlpApi.Library)]
    public static partial void InitializeUnicastIpAddressEntry(MIB_UNICASTIPADDRESS_ROW* row);

    [LibraryImport(IpHlpApi.Library)]
    public static partial uint CreateUnicastIpAddressEntry(MIB_UNICASTIPADDRESS_ROW* row);

    [LibraryImport(IpHlpApi.Library)]
    public static partial uint DeleteUnicastIpAddressEntry(MIB_UNICASTIPADDRESS_ROW* row);

    [LibraryImport(ComputeNetwork.Library)]
    public static partial uint HcnDeleteNetwork(in Guid id, out nint errorRecord);

    [LibraryImport(ComputeNetwork.Library)]
    public static partial uint HcnDeleteEndpoint(in Guid id, out nint errorRecord);

    [LibraryImport("advapi32.dll", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool OpenProcessToken(nint process, uint access, out SafeAccessTokenHandle token);

    [LibraryImport("advapi32.dll", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool CreateRestrictedToken(
        SafeAccessTokenHandle existing, uint flags, uint disableCount, void* disable, uint deleteCount, void* delete,
        uint restrictCount, void* restrict, out SafeAccessTokenHandle token);

    [LibraryImport("kernel32.dll")]
    public static partial nint GetCurrentProcess();

    [LibraryImport("kernel32.dll", SetLastError = true)]
    public static partial nint CreateRemoteThread(
        nint process, void* attributes, nuint stack, nint start, nint parameter, uint flags, void* id);

    [LibraryImport("kernel32.dll")]
    [return: MarshalAs(UnmanagedType.Bool)]
    public static partial bool CloseHandle(nint handle);
}
