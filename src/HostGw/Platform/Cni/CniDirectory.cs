using System.Runtime.Versioning;
using HostGw.Platform.Linux.Interop;

namespace HostGw.Platform.Cni;

/// <summary>The directory of CNI configurations: list, read, write and delete its files.</summary>
internal sealed class CniDirectory(string path)
{
    private const int EROFS = 30;

    // Runtimes load every file that ends in .conf, .conflist or .json, even a partly written one.
    private const string Temporary = ".hostgw.tmp";

    /// <summary>It is mounted read-only, as the chart mounts it where cni.install is false.</summary>
    public unsafe bool IsReadOnly
    {
        get
        {
            statfs status;
            return OperatingSystem.IsLinux() && Libc.statfs(path, &status) == 0 && (status.f_flags & Libc.ST_RDONLY) != 0;
        }
    }

    public string PathOf(string name) => Path.Combine(path, name);

    /// <summary>The names of all files; none without the directory.</summary>
    /// <param name="toRemove">Only to remove HostGw's: none where the directory may not be read.</param>
    /// <exception cref="CniException">The directory cannot be read.</exception>
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

    /// <summary>A file's text; empty if it is gone; null if it cannot be read.</summary>
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
            // Readable by its owner only, as the CIS benchmark requires.
            AtomicFile.Write(PathOf(name), PathOf(Temporary), stream => stream.Write(text));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failure("write", PathOf(name), e);
        }
    }

    /// <summary>Removes a file if it exists.</summary>
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
            return $"; {path} was removed on the host while it is mounted here: restart this pod, which creates and mounts it again";
        statx status;
        if (e is not UnauthorizedAccessException || Libc.statx(Libc.AT_FDCWD, path, 0, Libc.STATX_UID, &status) != 0)
            return "";
        return $"; {path} belongs to user {status.stx_uid}, and without the capability DAC_OVERRIDE nobody else may write there: " +
            $"chown root {path} on the host, or set cni.install to false";
    }
}

/// <summary>Reports changes of CNI configurations. Where no watch can be set up, the periodic full pass finds them.</summary>
internal sealed class CniWatch(string directory) : IDisposable
{
    private readonly Lock _lock = new();
    private FileSystemWatcher? _watcher;
    private DirectoryIdentity? _watched;
    private volatile Action? _changed;

    /// <summary>Called on any thread.</summary>
    public Action Changed
    {
        set => _changed = value;
    }

    /// <summary>Starts or stops listening. A start that fails is tried again by the next call.</summary>
    public void Listen(bool wanted)
    {
        // FileSystemWatcher does not report that its directory is deleted, nor follow a new one of that name.
        DirectoryIdentity? existing = wanted ? DirectoryIdentity.Of(directory) : null;
        lock (_lock)
        {
            if (existing == _watched)
                return;
            Stop();
            if (existing is not null && (_watcher = Start()) is not null)
                _watched = existing;
        }
    }

    public void Dispose()
    {
        lock (_lock)
            Stop();
    }

    private FileSystemWatcher? Start()
    {
        FileSystemWatcher? watcher = null;
        bool failed = false;
        try
        {
            watcher = new(directory) { NotifyFilter = NotifyFilters.FileName | NotifyFilters.LastWrite };
            watcher.Created += (_, e) => Report(e.Name);
            watcher.Changed += (_, e) => Report(e.Name);
            watcher.Deleted += (_, e) => Report(e.Name);
            watcher.Renamed += (_, e) => Report(e.Name, e.OldName);
            // A watcher that never started, or was stopped, reports nothing: it would fail again at once.
            watcher.Error += (_, _) => failed = !Restart(watcher);
            watcher.EnableRaisingEvents = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // No inotify instances left, or the directory was just deleted.
            failed = true;
        }
        if (!failed)
            return watcher;
        watcher?.Dispose();
        return null;
    }

    // The watcher's buffer overflowed: changes were lost, so report one and start again with the next pass.
    private bool Restart(FileSystemWatcher watcher)
    {
        lock (_lock)
        {
            if (watcher != _watcher)
                return false;
            Stop();
        }
        _changed?.Invoke();
        return true;
    }

    private void Report(params ReadOnlySpan<string?> names)
    {
        foreach (string? name in names)
        {
            if (name is not null && CniNetworks.IsConfiguration(name))
                _changed?.Invoke();
        }
    }

    private void Stop()
    {
        _watcher?.Dispose();
        (_watcher, _watched) = (null, null);
    }
}

/// <summary>Identifies the directory that a path leads to: one that is removed and created again is another.</summary>
/// <param name="Number">Its inode number, which file systems reuse.</param>
/// <param name="Born">Its creation time; 0 where the file system keeps none.</param>
internal readonly record struct DirectoryIdentity(ulong Number, long Born, uint BornNanoseconds)
{
    /// <summary>Null if there is none, or none that we may see.</summary>
    public static DirectoryIdentity? Of(string path) =>
        OperatingSystem.IsLinux() ? OnLinux(path)
        : Directory.Exists(path) ? new(0, Directory.GetCreationTimeUtc(path).Ticks, 0)
        : null;

    [SupportedOSPlatform("linux")]
    private static unsafe DirectoryIdentity? OnLinux(string path)
    {
        statx status;
        return Libc.statx(Libc.AT_FDCWD, path, 0, Libc.STATX_INO | Libc.STATX_BTIME, &status) == 0
            ? new(status.stx_ino, status.stx_btime_sec, status.stx_btime_nsec)
            : null;
    }
}
