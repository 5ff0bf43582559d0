using System.Runtime.Versioning;
using System.Security.AccessControl;
using System.Security.Principal;

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

    private const string Foreign = ".foreign-";

    /// <summary>HostGw's files in it, with their temporary names: no other file there is ever touched.</summary>
    public static IReadOnlyList<string> Files { get; } =
    [
        OwnFiles.Routes, OwnFiles.Routes + OwnFiles.NewRoutes, OwnFiles.Nodes, OwnFiles.Nodes + OwnFiles.NewNodes, OwnFiles.Pid,
    ];

    public static readonly string Default = OperatingSystem.IsWindows()
        ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "hostgw")
        : "/var/lib/hostgw";

    /// <summary>
    /// Creates the directory if it is missing. On Windows its access rights are set also if it exists already; the default one is renamed
    /// first if another user has made it or it is a link, and so are HostGw's files in it that another user has made.
    /// </summary>
    /// <exception cref="IOException">It cannot be created, or it is another user's and not the default one.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be created, or its access rights cannot be set.</exception>
    public static void Make(string path) => Make(path, IsDefault(path));

    /// <inheritdoc cref="Make(string)"/>
    /// <param name="mayRename">Whether one that another user has made is renamed: not where an administrator chose it.</param>
    public static void Make(string path, bool mayRename)
    {
        if (OperatingSystem.IsWindows())
            MakeOnWindows(path, mayRename);
        else if (!Directory.Exists(path))
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>
    /// Why a file in it must not be read: it is a link, or its owner is neither an administrator nor this process's user. Empty: it may.
    /// </summary>
    public static string Rejection(string directory, string file) => !OperatingSystem.IsWindows() ? ""
        : RejectionOf(directory) is { Length: > 0 } fault ? $"{directory} {fault}"
        : RejectionOf(file) is { Length: > 0 } other ? $"{file} {other}"
        : "";

    /// <summary>What was renamed because another user had made it: the directory, or a file in it. Empty: nothing is there.</summary>
    public static string SetAside(string directory, string file)
    {
        string[] found = [.. Renamed(directory), .. Renamed(file)];
        return found.Length == 0 ? "" : $"another user had made {string.Join(" and ", found)}, which HostGw renamed and does not read";
    }

    public static bool IsDefault(string path) => string.Equals(
        Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)), Default,
        OperatingSystem.IsWindows() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);

    // Any user may make such a name beside the default directory: only those that HostGw gives are repeated.
    private static IEnumerable<string> Renamed(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)), start = Path.GetFileName(full) + Foreign;
        return Path.GetDirectoryName(full) is { } parent && Directory.Exists(parent)
            ? Directory.EnumerateFileSystemEntries(parent, start + "*", new EnumerationOptions { AttributesToSkip = 0 })
                .Where(p => Guid.TryParseExact(Path.GetFileName(p).AsSpan(start.Length), "N", out _)).Order(StringComparer.Ordinal)
            : [];
    }

    private static string NameAside(string path) => $"{path}{Foreign}{Guid.NewGuid():N}";

    [SupportedOSPlatform("windows")]
    private static void MakeOnWindows(string path, bool mayRename)
    {
        DirectorySecurity security = new();
        security.SetSecurityDescriptorSddlForm(OnlyAdministrators, AccessControlSections.Owner | AccessControlSections.Access);
        // Not given other access rights: its owner may still hold it open, and what a link leads to is not HostGw's.
        if (mayRename && RejectionOf(path).Length > 0)
            Directory.Move(path, NameAside(path));
        if (!Path.Exists(path))
            security.CreateDirectory(path);
        // Somebody else may have been faster. Before its access rights are set, for with them its owner changes.
        if (RejectionOf(path) is { Length: > 0 } fault)
            throw new IOException($"{path} {fault}: set another stateDirectory, or make it a directory that Administrators own");
        new DirectoryInfo(path).SetAccessControl(security);
        foreach (string file in Files.Select(f => Path.Combine(path, f)).Where(f => RejectionOf(f).Length > 0))
            Directory.Move(file, NameAside(file));
    }

    [SupportedOSPlatform("windows")]
    private static string RejectionOf(string path)
    {
        if (!Path.Exists(path))
            return "";
        bool isLink = File.GetAttributes(path).HasFlag(FileAttributes.ReparsePoint);
        using var self = WindowsIdentity.GetCurrent();
        return FileOwner.Rejection(isLink, isLink ? "" : Owner(path), self.User?.Value ?? "");
    }

    [SupportedOSPlatform("windows")]
    private static string Owner(string path)
    {
        FileSystemSecurity security = Directory.Exists(path)
            ? new DirectoryInfo(path).GetAccessControl(AccessControlSections.Owner)
            : new FileInfo(path).GetAccessControl(AccessControlSections.Owner);
        return security.GetOwner(typeof(SecurityIdentifier))?.Value ?? "";
    }
}

/// <summary>The names of HostGw's files in the state directory.</summary>
internal static class OwnFiles
{
    public const string Routes = "routes.state", NewRoutes = ".new";
    public const string Nodes = "nodes", NewNodes = ".tmp";
    public const string Pid = "agent.pid";
    public const string Uplinks = "uplinks", NewUplinks = ".tmp";
}

/// <summary>Whose files and directories are taken for HostGw's on Windows. Pure.</summary>
internal static class FileOwner
{
    private const string LocalSystem = "S-1-5-18", Administrators = "S-1-5-32-544";

    /// <summary>Why not this one's; empty: it is owned by administrators, by SYSTEM or by this process's user.</summary>
    /// <param name="owner">A SID.</param>
    public static string Rejection(bool isLink, string owner, string self) =>
        isLink ? "is a link"
        : owner == LocalSystem || owner == Administrators || (owner.Length > 0 && owner == self) ? ""
        : $"belongs to the user {(owner.Length > 0 ? owner : "that Windows does not name")}";
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
