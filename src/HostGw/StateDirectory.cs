using System.Security.AccessControl;

namespace HostGw;

/// <summary>Where what must outlast the agent is kept: whoever could write there could tell the next agent what is ours.</summary>
internal static class StateDirectory
{
    // Full access for SYSTEM and Administrators, and nothing inherited: below %ProgramData% every user may make files.
    private const string OursAlone = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";

    /// <summary>Makes it where it is missing.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static void Make(string path)
    {
        if (Directory.Exists(path))
            return;
        if (OperatingSystem.IsWindows())
        {
            DirectorySecurity security = new();
            security.SetSecurityDescriptorSddlForm(OursAlone, AccessControlSections.Access);
            security.CreateDirectory(path);
        }
        else
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
