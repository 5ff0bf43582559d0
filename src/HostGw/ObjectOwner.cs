using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Security.Principal;
using Microsoft.Win32.SafeHandles;

namespace HostGw;

/// <summary>Reads who owns a file or a mutex on Windows: of a link its own owner, which .NET does not tell.</summary>
/// <remarks>https://learn.microsoft.com/windows/win32/api/aclapi/nf-aclapi-getsecurityinfo</remarks>
[SupportedOSPlatform("windows")]
internal static unsafe partial class ObjectOwner
{
    private const uint READ_CONTROL = 0x20000, OPEN_EXISTING = 3;
    private const uint FILE_SHARE_ALL = 7, FILE_FLAG_BACKUP_SEMANTICS = 0x2000000, FILE_FLAG_OPEN_REPARSE_POINT = 0x200000;
    private const int SE_FILE_OBJECT = 1, SE_KERNEL_OBJECT = 6;
    private const uint OWNER_SECURITY_INFORMATION = 1;
    private const int ERROR_FILE_NOT_FOUND = 2, ERROR_ACCESS_DENIED = 5;

    /// <summary>The SID; empty: Windows does not say.</summary>
    /// <exception cref="IOException">It cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static string OfFile(string path)
    {
        // So the owner can be read while another program holds it open.
        using SafeFileHandle file = CreateFileW(
            path, READ_CONTROL, FILE_SHARE_ALL, null, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, 0);
        if (!file.IsInvalid)
            return Of(file, SE_FILE_OBJECT);
        int error = Marshal.GetLastPInvokeError();
        string text = $"read the owner of {path}: {Marshal.GetPInvokeErrorMessage(error)}";
        throw error == ERROR_ACCESS_DENIED ? new UnauthorizedAccessException(text) : (Exception)new IOException(text);
    }

    /// <summary>The SID of who owns the mutex of that name; empty: Windows does not say, or it is no mutex; null: there is none.</summary>
    public static string? OfMutex(string name)
    {
        using SafeWaitHandle mutex = OpenMutexW(READ_CONTROL, 0, name);
        return !mutex.IsInvalid ? Of(mutex, SE_KERNEL_OBJECT)
            : Marshal.GetLastPInvokeError() == ERROR_FILE_NOT_FOUND ? null
            : "";
    }

    /// <summary>"the user S-1-5-21-… (HOST\name)".</summary>
    public static string Describe(string sid)
    {
        try
        {
            return sid.Length == 0 ? "a user that Windows does not name"
                : $"the user {sid} ({new SecurityIdentifier(sid).Translate(typeof(NTAccount)).Value})";
        }
        catch (SystemException e) when (e is IdentityNotMappedException or ArgumentException)
        {
            return $"the user {sid}";
        }
    }

    private static string Of(SafeHandle handle, int type)
    {
        nint descriptor = 0;
        try
        {
            uint code = GetSecurityInfo(handle, type, OWNER_SECURITY_INFORMATION, out nint owner, null, null, null, out descriptor);
            return code == 0 && owner != 0 ? new SecurityIdentifier(owner).Value : "";
        }
        finally
        {
            _ = LocalFree(descriptor);
        }
    }

    [LibraryImport("kernel32.dll", StringMarshalling = StringMarshalling.Utf16, SetLastError = true)]
    private static partial SafeFileHandle CreateFileW(
        string name, uint access, uint share, void* security, uint disposition, uint flags, nint template);

    [LibraryImport("kernel32.dll", StringMarshalling = StringMarshalling.Utf16, SetLastError = true)]
    private static partial SafeWaitHandle OpenMutexW(uint access, int inherit, string name);

    [LibraryImport("advapi32.dll")]
    private static partial uint GetSecurityInfo(
        SafeHandle handle, int type, uint information, out nint owner, void* group, void* dacl, void* sacl, out nint descriptor);

    [LibraryImport("kernel32.dll")]
    private static partial nint LocalFree(nint memory);
}
