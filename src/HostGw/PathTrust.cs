namespace HostGw;

/// <summary>Checks who owns a path on Windows and the links on it. Links of administrators are followed. Pure.</summary>
/// <param name="look">What is at a path, without following it; null: nothing.</param>
/// <param name="ownerOf">The SID of who owns that; empty: not known.</param>
/// <param name="describe">The words for an owner.</param>
/// <param name="self">The SID of this process's user.</param>
internal sealed class PathTrust(
    Func<string, PathEntry?> look, Func<string, string> ownerOf, Func<string, string> describe, string self)
{
    // As many as Windows follows.
    private const int MostLinks = 63;

    /// <returns>Null: nothing; also where there is nothing at the path.</returns>
    public PathFault? Check(string path)
    {
        string full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)), next = full;
        for (int links = 0; links <= MostLinks; links++)
        {
            (PathFault? fault, string? target) = Walk(next);
            if (fault is not null)
                return fault with { IsAtPath = fault.Path == full };
            if (target is null)
                return null;
            next = target;
        }
        return new(full, $"{full} leads through more than {MostLinks} links: set another stateDirectory");
    }

    // Directories on the way that are no links are whose they are: an administrator chose the path.
    private (PathFault? Fault, string? Target) Walk(string path)
    {
        foreach (string step in Steps(path))
        {
            if (look(step) is not { } entry)
                break;
            if (!entry.IsLink && step != path)
                continue;
            string owner = ownerOf(step);
            if (!FileOwner.IsTrusted(owner, self))
                return (new(step, entry.IsLink ? Link(step, owner, entry) : Object(step, owner)), null);
            if (entry.Target is { } target)
            {
                string to = Path.Combine(Path.GetDirectoryName(step) ?? "", target), rest = path[step.Length..];
                return (null, Path.TrimEndingDirectorySeparator(Path.GetFullPath(to + rest)));
            }
        }
        return default;
    }

    // From the root, which it leaves out.
    private static IEnumerable<string> Steps(string path) => Path.GetDirectoryName(path) is { } parent ? Steps(parent).Append(path) : [];

    private string Link(string path, string owner, PathEntry entry) =>
        $"{path} is a link that belongs to {describe(owner)} and is not followed: remove it " +
        $"(cmd /c {(entry.IsDirectory ? "rmdir" : "del")} \"{path}\"), let an administrator make it, or set another stateDirectory";

    private string Object(string path, string owner) =>
        $"{path} belongs to {describe(owner)}: set another stateDirectory, or make it a directory that Administrators own";
}

/// <summary>What is at a path.</summary>
/// <param name="IsLink">A symbolic link, a junction or another reparse point.</param>
/// <param name="Target">Where it leads, relative to its directory; null where Windows does not say so, or it is none.</param>
internal readonly record struct PathEntry(bool IsLink, string? Target, bool IsDirectory)
{
    public static PathEntry? Read(string path)
    {
        if (!Path.Exists(path))
            return null;
        FileAttributes attributes = File.GetAttributes(path);
        bool isLink = attributes.HasFlag(FileAttributes.ReparsePoint), isDirectory = attributes.HasFlag(FileAttributes.Directory);
        return new(isLink, isLink ? new FileInfo(path).LinkTarget : null, isDirectory);
    }
}

/// <summary>Why a path is not taken for HostGw's.</summary>
/// <param name="Path">What is at fault: the path itself, or a link that it leads through.</param>
/// <param name="Text">With what to do.</param>
internal sealed record PathFault(string Path, string Text)
{
    /// <summary>It is at the path itself, and neither on the way to it nor where it leads.</summary>
    public bool IsAtPath { get; init; }
}

/// <summary>Whose files, directories and objects are taken for HostGw's on Windows. Pure.</summary>
internal static class FileOwner
{
    private const string LocalSystem = "S-1-5-18", Administrators = "S-1-5-32-544";

    /// <summary>Administrators, SYSTEM or this process's user.</summary>
    /// <param name="owner">A SID; empty: not known.</param>
    public static bool IsTrusted(string owner, string self) =>
        owner is LocalSystem or Administrators || (owner.Length > 0 && owner == self);
}
