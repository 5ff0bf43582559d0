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
