using System.Text;

namespace HostGw.Platform.Linux;

/// <summary>
/// The interfaces that once had a route learnt by router advertisement, by name: one that is unplugged loses its routes, and gets another
/// index when it returns. A file keeps the names for the next run of the agent.
/// </summary>
/// <param name="directory">The state directory; null: the names are known until the agent ends.</param>
internal sealed class LearntUplinks(string? directory)
{
    // Uplinks are few, and a name that is gone for good does no harm.
    private const int Most = 64;
    private const int MaxBytes = 4096;

    private readonly HashSet<string> _names = directory is null ? [] : Read(PathIn(directory));
    private bool _isSaved = true;

    public bool Contains(string name) => _names.Contains(name);

    public void Add(IEnumerable<string> names)
    {
        foreach (string name in names)
        {
            if (_names.Count < Most && _names.Add(name))
                _isSaved = false;
        }
    }

    /// <summary>Writes the file where a name is new. What cannot be written is tried again with the next name.</summary>
    public void Save()
    {
        if (_isSaved || directory is null)
            return;
        _isSaved = true;
        try
        {
            StateDirectory.Make(directory);
            byte[] text = Encoding.UTF8.GetBytes(string.Concat(_names.Order(StringComparer.Ordinal).Select(n => $"{n}\n")));
            AtomicFile.Write(PathIn(directory), PathIn(directory) + OwnFiles.NewUplinks, stream => stream.Write(text));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // SavedNodesFile writes to the same directory and reports it.
        }
    }

    private static string PathIn(string directory) => Path.Combine(directory, OwnFiles.Uplinks);

    private static HashSet<string> Read(string path)
    {
        try
        {
            // A pipe or device has no length, and reading it might never end.
            FileInfo file = new(path);
            return file.Exists && file.Length is > 0 and <= MaxBytes ? [.. File.ReadLines(path).Where(n => n.Length > 0).Take(Most)] : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }
}
