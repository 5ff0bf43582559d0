namespace HostGw.Platform.Cni;

/// <summary>Tells when somebody changes, adds or removes a CNI configuration. Where the kernel cannot tell, the periodic pass finds it.</summary>
internal sealed class CniWatch(string directory) : IDisposable
{
    private readonly Lock _lock = new();
    private FileSystemWatcher? _watcher;
    private FolderIdentity? _watched;
    private volatile Action? _changed;

    /// <summary>Called on any thread.</summary>
    public Action Changed
    {
        set => _changed = value;
    }

    /// <summary>Listens, or does not, from now on. What cannot be begun now is tried again by the next call.</summary>
    public void Keep(bool wanted)
    {
        // A watcher says nothing when its directory goes, and hears nothing of another one with that name.
        FolderIdentity? there = wanted ? FolderIdentity.Of(directory) : null;
        lock (_lock)
        {
            if (there == _watched)
                return;
            Stop();
            if (there is not null && (_watcher = Start()) is not null)
                _watched = there;
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
            watcher.Created += (_, e) => Tell(e.Name);
            watcher.Changed += (_, e) => Tell(e.Name);
            watcher.Deleted += (_, e) => Tell(e.Name);
            watcher.Renamed += (_, e) => Tell(e.Name, e.OldName);
            // Of what never began, or ended already, nobody is told: it would fail again and again.
            watcher.Error += (_, _) => failed = !Lost(watcher);
            watcher.EnableRaisingEvents = true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // No inotify left on a Linux host, or the directory has just gone.
            failed = true;
        }
        if (!failed)
            return watcher;
        watcher?.Dispose();
        return null;
    }

    // More came than it holds: begin anew.
    private bool Lost(FileSystemWatcher watcher)
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

    private void Tell(params ReadOnlySpan<string?> names)
    {
        foreach (string? name in names)
        {
            if (name is not null && CniNetworks.IsLookedAt(name))
                _changed?.Invoke();
        }
    }

    private void Stop()
    {
        _watcher?.Dispose();
        (_watcher, _watched) = (null, null);
    }
}
