using HostGw.Planning;

namespace HostGw.Platform.Cni;

/// <summary>Writes and removes HostGw's CNI configuration. Never changes a file of another plugin.</summary>
internal sealed class CniConfiguration(CniOptions options, CniFormat format) : IDisposable
{
    private readonly CniDirectory _directory = new(options.ConfigDirectory);
    private readonly CniWatch _watch = new(options.ConfigDirectory);
    private readonly string _own = options.TakeOver ? CniOrder.First : CniOrder.Usual;

    /// <summary>The configuration that the runtime uses, as of the last Apply; null: not known.</summary>
    public CniInUse? InUse { get; private set; }

    /// <summary>Foreign files that keep the runtime from using HostGw's, with the cure.</summary>
    public IReadOnlyList<string> Obstacles { get; private set; } = [];

    /// <summary>HostGw's files that are no longer desired and cannot be removed: their directory is mounted read-only.</summary>
    public IReadOnlyList<string> Left { get; private set; } = [];

    /// <summary>Called on any thread when a configuration changes, while HostGw's is desired.</summary>
    public Action Changed
    {
        set => _watch.Changed = value;
    }

    /// <summary>Reads whether the gateway addresses of podCIDRs are kept from pods.</summary>
    public CniReservation ReadReservation()
    {
        try
        {
            return CniReservation.Of(_directory.Names(toRemove: false), _directory.Read);
        }
        catch (CniException e)
        {
            return new(e.Message, null);
        }
    }

    /// <summary>Describes what <see cref="Apply"/> would do; empty: nothing.</summary>
    /// <exception cref="CniException">The directory cannot be read.</exception>
    public string Preview(CniPlan? desired)
    {
        CniWork work = Compare(desired);
        Left = work.Left;
        return work.Writes && MissingPlugins() is { } missing ? $"none, for {missing}" : work.What;
    }

    /// <summary>Writes our configuration unless another plugin's takes precedence. Null removes it.</summary>
    /// <returns>Describes what was done; empty: nothing.</returns>
    /// <exception cref="CniException">A file cannot be written or removed, or a plugin is missing.</exception>
    public string Apply(CniPlan? desired)
    {
        // Watch before reading: a change after the read then wakes a pass.
        _watch.Listen(desired is not null);
        CniWork work = Compare(desired);
        InUse = null;
        Left = work.Left;
        Obstacles = work.Order.Problem is { } problem ? [problem] : [];
        if (work.Writes && MissingPlugins() is { } missing)
            throw new CniException(missing);
        if (work.Text is not null)
            Write(work.Text);
        foreach (string name in work.Surplus)
            _directory.Delete(name);
        if (desired is not null)
            InUse = new(_directory.PathOf(work.Order.Other ?? _own), work.Order.Other is null);
        return work.What;
    }

    public void Dispose() => _watch.Dispose();

    // Writing may have created the directory, which is watched from then on.
    private void Write(byte[] text)
    {
        _directory.Write(_own, text);
        _watch.Listen(true);
    }

    private CniWork Compare(CniPlan? desired)
    {
        IReadOnlyList<string> names = _directory.Names(toRemove: desired is null);
        bool isInstalled = names.Contains(_own) || InUse is { IsOurs: true };
        CniOrder order = desired is null ? new(null, null) : CniOrder.Of(_own, isInstalled, names, _directory.Read);
        bool writes = desired is not null && order.Other is null;
        byte[]? wanted = writes ? format.Write(desired!) : null;
        bool isThere = names.Contains(_own);
        bool isRight = wanted is not null && isThere && _directory.Read(_own) is { } installed && installed.AsSpan().SequenceEqual(wanted);
        string[] surplus = [.. names.Where(n => n is CniOrder.Usual or CniOrder.First && (!writes || n != _own))];

        string[] left = desired is null && surplus.Length > 0 && _directory.IsReadOnly ? [.. surplus.Select(_directory.PathOf)] : [];
        surplus = left.Length > 0 ? [] : surplus;

        string because = order.Other is { } other ? $": {other} comes first" : "";
        string[] what =
        [
            .. wanted is null || isRight ? [] : new[] { $"{(isThere ? "rewrote" : "wrote")} {_directory.PathOf(_own)}" },
            .. surplus.Select(n => $"removed {_directory.PathOf(n)}{because}"),
        ];
        return new(order, writes, isRight ? null : wanted, surplus, left, string.Join("; ", what));
    }

    private string? MissingPlugins()
    {
        string[] missing = [.. format.Plugins.Where(p => !File.Exists(Path.Combine(options.BinDirectory, p)))];
        return missing.Length == 0 ? null
            : $"{options.BinDirectory} has no {string.Join(", ", missing)}: {format.Install}, or name their folder in cni.binDirectory";
    }
}

/// <summary>The difference between the directory and what it should hold.</summary>
/// <param name="Writes">HostGw's configuration should exist.</param>
/// <param name="Text">What to write; null: nothing.</param>
/// <param name="Surplus">HostGw's files to remove.</param>
/// <param name="Left">The paths of those that cannot be removed.</param>
/// <param name="What">What is written and removed, for people; empty: nothing.</param>
internal sealed record CniWork(CniOrder Order, bool Writes, byte[]? Text, string[] Surplus, string[] Left, string What);

/// <summary>Where CNI configurations and plugins are, and whether HostGw's takes precedence over all others.</summary>
internal sealed record CniOptions
{
    public bool TakeOver { get; init; }

    public string ConfigDirectory { get; init; } = "/etc/cni/net.d";

    public string BinDirectory { get; init; } = "/opt/cni/bin";
}

/// <summary>A CNI configuration cannot be read, written or used. The message ends with what to do.</summary>
internal sealed class CniException(string message, Exception? inner = null) : HostNetworkException(message, inner)
{
    public override bool IsNotFound => false;
}
