using System.Runtime.Versioning;
using System.Security.AccessControl;

namespace HostGw;

/// <summary>Holds saved nodes and, on Windows, the list of our routes: only administrators may write there.</summary>
internal static class StateDirectory
{
    // Owner: Administrators. Full access for SYSTEM and Administrators, nothing inherited: below %ProgramData% every user may
    // create directories, and the owner of one may change its access rights.
    private const string OnlyAdministrators = "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";

    /// <summary>Creates the directory if it is missing. On Windows its access rights are set whoever created it.</summary>
    /// <exception cref="IOException">It cannot be created.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be created, or its access rights cannot be set.</exception>
    public static void Make(string path)
    {
        if (OperatingSystem.IsWindows())
            MakeOnWindows(path);
        else if (!Directory.Exists(path))
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [SupportedOSPlatform("windows")]
    private static void MakeOnWindows(string path)
    {
        DirectorySecurity security = new();
        security.SetSecurityDescriptorSddlForm(OnlyAdministrators, AccessControlSections.Owner | AccessControlSections.Access);
        DirectoryInfo directory = new(path);
        if (directory.Exists)
            directory.SetAccessControl(security);
        else
            security.CreateDirectory(path);
    }
}
