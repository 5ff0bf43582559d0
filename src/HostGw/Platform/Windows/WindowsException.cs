using System.Globalization;
using System.Runtime.InteropServices;

namespace HostGw.Platform.Windows;

/// <summary>Windows answered a request with an error.</summary>
/// <param name="code">A Win32 error, or an HRESULT.</param>
internal sealed class WindowsException(string request, uint code, string? explanation = null)
    : HostNetworkException(Describe(request, code, explanation))
{
    public uint Code { get; } = code;

    public override bool IsNotFound => Code is Win32Error.ERROR_FILE_NOT_FOUND or Win32Error.ERROR_NOT_FOUND
        or HnsError.HCN_E_NETWORK_NOT_FOUND or HnsError.HCN_E_ENDPOINT_NOT_FOUND;

    // The number, too: it is what one looks up, and the system may have no words for it.
    private static string Describe(string request, uint code, string? explanation)
    {
        string number = code > ushort.MaxValue ? $"0x{code:X8}" : code.ToString(CultureInfo.InvariantCulture);
        string reason = explanation ?? (OperatingSystem.IsWindows() ? Marshal.GetPInvokeErrorMessage((int)code).Trim() : "");
        return reason.Length > 0 ? $"{request}: {reason} (error {number})" : $"{request}: error {number}";
    }
}

/// <summary>The errors that decisions rest on (winerror.h).</summary>
internal static class Win32Error
{
    public const uint ERROR_FILE_NOT_FOUND = 2;
    public const uint ERROR_ACCESS_DENIED = 5;
    public const uint ERROR_INVALID_DATA = 13;
    public const uint ERROR_NOT_FOUND = 1168;
    public const uint ERROR_OBJECT_ALREADY_EXISTS = 5010;
}

/// <summary>Those of HNS.</summary>
internal static class HnsError
{
    public const uint HCN_E_NETWORK_NOT_FOUND = 0x803B0001;
    public const uint HCN_E_ENDPOINT_NOT_FOUND = 0x803B0002;
}
