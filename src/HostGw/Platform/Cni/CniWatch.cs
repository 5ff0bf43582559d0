namespace HostGw.Platform.Cni;

/// <summary>Tells when somebody changes, adds or removes a CNI configuration. Where the kernel cannot tell, the periodic pass finds it.</summary>
internal sealed class CniWatch(string directory) : IDisposable
{
    private FileSystemWatcher? _watcher;
    private volatile Action? _changed;

    /// <summary>Called on any thread.</summary>
    public Action Changed
    {
        set => _changed = value;
    }

    /// <summary>Listens, or does not, from now on. What cannot be begun now is tried again by the next call.</summary>
    public void Keep(bool wanted)
    {
        if (!wanted)
            Stop();
        else if (_watcher is null && Directory.Exists(directory))
            Start();
    }

    public void Dispose() => Stop();

    private void Start()
    {
        var watcher = new FileSystemWatcher(directory) { NotifyFilter = NotifyFilters.FileName | NotifyFilters.LastWrite };
        watcher.Created += (_, e) => Tell(e.Name);
        watcher.Changed += (_, e) => Tell(e.Name);
        watcher.Deleted += (_, e) => Tell(e.Name);
        watcher.Renamed += (_, e) => Tell(e.Name, e.OldName);
        // It lost its place, or more came than it holds: begin anew.
        watcher.Error += (_, _) =>
        {
            Stop();
            _changed?.Invoke();
        };
        try
        {
            watcher.EnableRaisingEvents = true;
            _watcher = watcher;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // No inotify left on this host, or the directory has just gone.
            watcher.Dispose();
        }
    }

    private void Tell(params ReadOnlySpan<string?> names)
    {
        foreach (string? name in names)
        {
            if (name is not null && CniNetworks.IsLookedAt(name))
                _changed?.Invoke();
        }
    }

    private void Stop() => Interlocked.Exchange(ref _watcher, null)?.Dispose();
}
