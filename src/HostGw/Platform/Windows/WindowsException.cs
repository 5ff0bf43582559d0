using System.Globalization;
using System.Runtime.InteropServices;

namespace HostGw.Platform.Windows;

/// <summary>Windows answered a request with an error.</summary>
/// <param name="code">A Win32 error code (IP Helper API) or an HRESULT (HNS).</param>
internal sealed class WindowsException(string request, uint code, string? explanation = null)
    : HostNetworkException(Describe(request, code, explanation))
{
    public uint Code { get; } = code;

    /// <summary>This process lacks the rights.</summary>
    public bool IsDenied => Win32Code == Win32Error.ERROR_ACCESS_DENIED;

    public override bool IsNotFound => Win32Code is Win32Error.ERROR_FILE_NOT_FOUND or Win32Error.ERROR_NOT_FOUND
        or HnsError.HCN_E_NETWORK_NOT_FOUND or HnsError.HCN_E_ENDPOINT_NOT_FOUND;

    // An HRESULT of facility 7 is a Win32 error: 0x80070005 is ERROR_ACCESS_DENIED. Other HRESULTs stay as they are.
    private uint Win32Code => Code >> 16 == 0x8007 ? Code & ushort.MaxValue : Code;

    // With the number: it can be looked up, and Windows has no text for some errors.
    private static string Describe(string request, uint code, string? explanation)
    {
        string number = code > ushort.MaxValue ? $"0x{code:X8}" : code.ToString(CultureInfo.InvariantCulture);
        string reason = explanation ?? (OperatingSystem.IsWindows() ? Marshal.GetPInvokeErrorMessage((int)code).Trim() : "");
        return reason.Length > 0 ? $"{request}: {reason} (error {number})" : $"{request}: error {number}";
    }
}

/// <summary>The errors that this code tells apart (winerror.h).</summary>
internal static class Win32Error
{
    public const uint ERROR_FILE_NOT_FOUND = 2;
    public const uint ERROR_ACCESS_DENIED = 5;
    public const uint ERROR_INVALID_DATA = 13;
    public const uint ERROR_NOT_FOUND = 1168;
    public const uint ERROR_OBJECT_ALREADY_EXISTS = 5010;
}

/// <summary>The same of HNS.</summary>
internal static class HnsError
{
    public const uint HCN_E_NETWORK_NOT_FOUND = 0x803B0001;
    public const uint HCN_E_ENDPOINT_NOT_FOUND = 0x803B0002;
}
