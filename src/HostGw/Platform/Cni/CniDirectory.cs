using HostGw.Platform.Linux.Interop;

namespace HostGw.Platform.Cni;

/// <summary>The directory of CNI configurations on this host's disk.</summary>
internal sealed class CniDirectory(string path)
{
    private const int EROFS = 30;

    // Runtimes load whatever ends in .conf, .conflist or .json, half written or not.
    private const string Temporary = ".hostgw.tmp";

    public string PathOf(string name) => Path.Combine(path, name);

    /// <summary>The names of all files; none where there is no such directory.</summary>
    /// <param name="toRemove">Only to remove ours: where we may not even look, there are none.</param>
    /// <exception cref="CniException">It cannot be read.</exception>
    public IReadOnlyList<string> Names(bool toRemove)
    {
        try
        {
            return [.. Directory.EnumerateFiles(path).Select(p => Path.GetFileName(p))];
        }
        catch (Exception e) when (e is DirectoryNotFoundException || (e is UnauthorizedAccessException && toRemove))
        {
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failure("list", path, e);
        }
    }

    /// <summary>A file's text; empty where it is gone; null where it may not be read.</summary>
    public byte[]? Read(string name)
    {
        try
        {
            return File.ReadAllBytes(PathOf(name));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <exception cref="CniException">It cannot be written.</exception>
    public void Write(string name, byte[] text)
    {
        try
        {
            Directory.CreateDirectory(path);
            // Readable by its owner alone, as the CIS benchmark wants it.
            WholeFile.Write(PathOf(name), PathOf(Temporary), stream => stream.Write(text));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failure("write", PathOf(name), e);
        }
    }

    /// <summary>Removes it; that it is gone already is no failure.</summary>
    /// <exception cref="CniException">It cannot be removed.</exception>
    public void Delete(string name)
    {
        try
        {
            File.Delete(PathOf(name));
            File.Delete(PathOf(Temporary));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failure("remove", PathOf(name), e);
        }
    }

    private CniException Failure(string what, string file, Exception e) => new($"{what} {file}: {e.Message}{Cure(e)}", e);

    private unsafe string Cure(Exception e)
    {
        if (!OperatingSystem.IsLinux())
            return "";
        if (e.HResult == EROFS)
            return "; mount the host's directory writable, or set cni.install to false";
        if (e is FileNotFoundException or DirectoryNotFoundException)
            return $"; {path} was removed on the host while it is mounted here: restart this pod, which makes and mounts it anew";
        statx status;
        if (e is not UnauthorizedAccessException || Libc.statx(Libc.AT_FDCWD, path, 0, Libc.STATX_UID, &status) != 0)
            return "";
        return $"; {path} belongs to user {status.stx_uid}, and without the capability DAC_OVERRIDE nobody else may write there: " +
            $"chown root {path} on the host, or set cni.install to false";
    }
}
