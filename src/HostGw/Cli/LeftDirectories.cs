using HostGw.Platform.Cni;

namespace HostGw.Cli;

/// <summary>
/// Removes the directories of HostGw and of its CNI configuration where they are empty; else one sentence says why they stay.
/// </summary>
internal static class LeftDirectories
{
    /// <returns>One sentence if it was there.</returns>
    public static IEnumerable<string> RemoveState(string path)
    {
        if (Directory.Exists(path))
            yield return Remove(path);
    }

    /// <summary>Where the plugin host-local records the addresses of pods that still run, which it needs when they end.</summary>
    /// <param name="removedCni">HostGw's CNI configuration was there until now.</param>
    public static IEnumerable<string> RemovePodAddresses(string path, bool removedCni)
    {
        string network = Path.Combine(path, Conflist.Network);
        if (!Directory.Exists(network))
        {
            if (removedCni)
                yield return $"{path} on the host, where addresses of pods are recorded, stays until it is rebooted";
            yield break;
        }
        int pods = Directory.EnumerateFiles(network).Count(f => IPAddress.TryParse(Path.GetFileName(f), out _));
        if (pods > 0)
        {
            yield return $"{path} stays until the host is rebooted: pods that still run have {pods} of the addresses recorded there";
            yield break;
        }
        // Without pods only the plugin's lock and its last addresses are left.
        foreach (string file in Directory.EnumerateFiles(network))
            File.Delete(file);
        Directory.Delete(network);
        yield return Remove(path);
    }

    private static string Remove(string path)
    {
        if (Directory.EnumerateFileSystemEntries(path).Select(e => Path.GetFileName(e)).FirstOrDefault() is { } other)
            return $"{path} stays, for it holds {other}";
        try
        {
            Directory.Delete(path);
            return $"removed {path}";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{path} stays, empty (in a pod it is mounted): rmdir {path} on the host removes it";
        }
    }
}
