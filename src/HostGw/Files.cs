using System.Runtime.Versioning;
using System.Security.AccessControl;

namespace HostGw;

/// <summary>Replaces a file atomically: a reader sees the old or the new content, also after a loss of power.</summary>
internal static class AtomicFile
{
    /// <summary>The file is readable by its owner only.</summary>
    /// <param name="temporary">Where it is written first, in the same directory.</param>
    /// <exception cref="IOException">It cannot be written; the old content is kept.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static void Write(string path, string temporary, Action<Stream> write)
    {
        try
        {
            // Deleted first: an existing link of this name would be followed.
            File.Delete(temporary);
            using (FileStream stream = new(temporary, Options()))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Remove(temporary);
            throw;
        }
    }

    private static FileStreamOptions Options()
    {
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return options;
    }

    private static void Remove(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The directory is read-only, so there is no temporary file.
        }
    }
}

/// <summary>The directory of saved nodes and, on Windows, of the list of HostGw's routes. Only administrators may write there.</summary>
internal static class StateDirectory
{
    // Owner: Administrators. Full access for SYSTEM and Administrators, nothing inherited: below %ProgramData% every user may
    // create directories, and the owner of one may change its access rights.
    private const string OnlyAdministrators = "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";

    /// <summary>Creates the directory if it is missing. On Windows its access rights are set also if it exists already.</summary>
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

/// <summary>Finds a pod's file in a HostProcess container: containerd before 1.7 mounts volumes below the sandbox's folder.</summary>
/// <remarks>https://kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod/#volume-mounts</remarks>
internal static class SandboxPath
{
    private const string MountPoint = "CONTAINER_SANDBOX_MOUNT_POINT";

    public static string Of(string path) => Of(path, Environment.GetEnvironmentVariable(MountPoint), Path.Exists);

    /// <param name="path">Absolute, with forward slashes.</param>
    /// <param name="sandbox">Null or empty outside a HostProcess container.</param>
    public static string Of(string path, string? sandbox, Func<string, bool> exists)
    {
        string inside = $"{sandbox?.TrimEnd('/', '\\')}{path}";
        return !string.IsNullOrEmpty(sandbox) && exists(inside) ? inside : path;
    }
}
