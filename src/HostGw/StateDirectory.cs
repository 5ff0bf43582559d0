using System.Runtime.Versioning;
using System.Security.AccessControl;
using System.Security.Principal;

namespace HostGw;

/// <summary>The directory of saved nodes and, on Windows, of the list of HostGw's routes. Only administrators may write there.</summary>
internal static class StateDirectory
{
    // Owner: Administrators. Full access for SYSTEM and Administrators, nothing inherited: below %ProgramData% every user may
    // create directories, and the owner of one may change its access rights.
    private const string OnlyAdministrators = "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";

    private const string Foreign = ".foreign-";

    /// <summary>HostGw's files in it on Windows, with their temporary names: no other file there is touched.</summary>
    public static IReadOnlyList<string> Files { get; } =
    [
        OwnFiles.Routes, OwnFiles.Routes + OwnFiles.NewRoutes, OwnFiles.Nodes, OwnFiles.Nodes + OwnFiles.NewNodes, OwnFiles.Pid,
        OwnFiles.Lock,
    ];

    public static readonly string Default = OperatingSystem.IsWindows()
        ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData), "hostgw")
        : "/var/lib/hostgw";

    /// <summary>
    /// Creates the directory if it is missing. On Windows its access rights are set also if it exists already; the default one is renamed
    /// first if another user has made it, and so are HostGw's files in it that another user has made. Links of administrators are followed.
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
    /// Why a file in it must not be read: neither an administrator nor this process's user owns it or a link on its path. Empty: it may.
    /// </summary>
    public static string Rejection(string directory, string file) =>
        OperatingSystem.IsWindows() ? (Fault(directory) ?? Fault(file))?.Text ?? "" : "";

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

    [SupportedOSPlatform("windows")]
    private static void MakeOnWindows(string path, bool mayRename)
    {
        DirectorySecurity security = new();
        security.SetSecurityDescriptorSddlForm(OnlyAdministrators, AccessControlSections.Owner | AccessControlSections.Access);
        // Not given other access rights: its owner may still hold it open, and what a link leads to is not HostGw's.
        if (mayRename && Fault(path) is { IsAtPath: true } foreign)
            Rename(path, foreign);
        if (!Path.Exists(path))
            security.CreateDirectory(path);
        // Somebody else may have been faster. Before its access rights are set, for with them its owner changes.
        if (Fault(path) is { } fault)
            throw new IOException(fault.Text);
        new DirectoryInfo(path).SetAccessControl(security);
        foreach (string file in Files.Select(f => Path.Combine(path, f)))
        {
            if (Fault(file) is { IsAtPath: true } planted)
                Rename(file, planted);
        }
    }

    private static void Rename(string path, PathFault fault)
    {
        try
        {
            Directory.Move(path, $"{path}{Foreign}{Guid.NewGuid():N}");
        }
        catch (IOException e)
        {
            // Its owner holds it open.
            throw new IOException($"{fault.Text} (HostGw could not rename it: {e.Message})", e);
        }
    }

    [SupportedOSPlatform("windows")]
    private static PathFault? Fault(string path)
    {
        using var self = WindowsIdentity.GetCurrent();
        return new PathTrust(PathEntry.Read, ObjectOwner.OfFile, ObjectOwner.Describe, self.User?.Value ?? "").Check(path);
    }
}

/// <summary>The names of HostGw's files in the state directory.</summary>
internal static class OwnFiles
{
    public const string Routes = "routes.state", NewRoutes = ".new";
    public const string Nodes = "nodes", NewNodes = ".tmp";
    public const string Pid = "agent.pid";
    public const string Uplinks = "uplinks", NewUplinks = ".tmp";

    /// <summary>Held open by the agent that runs.</summary>
    public const string Lock = "agent.lock";
}
