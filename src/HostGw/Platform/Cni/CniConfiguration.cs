using HostGw.Planning;

namespace HostGw.Platform.Cni;

/// <summary>Keeps our CNI configuration among those of others, which it never touches.</summary>
internal sealed class CniConfiguration(CniOptions options, CniFormat format) : IDisposable
{
    private readonly CniDirectory _directory = new(options.ConfigDirectory);
    private readonly CniWatch _watch = new(options.ConfigDirectory);
    private readonly string _own = options.TakeOver ? CniOrder.First : CniOrder.Usual;

    /// <summary>What pods get their interfaces by, as last found; null: nothing that we would know of.</summary>
    public CniStanding? Standing { get; private set; }

    /// <summary>What of others harms ours, with the cure.</summary>
    public IReadOnlyList<string> Obstacles { get; private set; } = [];

    /// <summary>Called, on any thread, when somebody changed a configuration, while ours is wanted.</summary>
    public Action Changed
    {
        set => _watch.Changed = value;
    }

    /// <summary>What <see cref="Apply"/> would do, in words; empty: nothing.</summary>
    /// <exception cref="CniException">The directory cannot be read.</exception>
    public string Preview(CniPlan? desired)
    {
        CniWork work = Compare(desired);
        return work.Writes && MissingPlugins() is { } missing ? $"none, for {missing}" : work.What;
    }

    /// <summary>Has ours as desired, unless another plugin's comes first; null: none.</summary>
    /// <returns>What was done, in words; empty: nothing.</returns>
    /// <exception cref="CniException">It cannot be done.</exception>
    public string Apply(CniPlan? desired)
    {
        // Before it is read: what changes after that is announced.
        _watch.Keep(desired is not null);
        CniWork work = Compare(desired);
        Standing = null;
        Obstacles = work.Order.Problem is { } problem ? [problem] : [];
        if (work.Writes && MissingPlugins() is { } missing)
            throw new CniException(missing);
        if (work.Text is not null)
            Write(work.Text);
        foreach (string name in work.Surplus)
            _directory.Delete(name);
        if (desired is not null)
            Standing = new(_directory.PathOf(work.Order.Other ?? _own), work.Order.Other is null);
        return work.What;
    }

    public void Dispose() => _watch.Dispose();

    // Where it made the directory, that is to be listened to from now on.
    private void Write(byte[] text)
    {
        _directory.Write(_own, text);
        _watch.Keep(true);
    }

    private CniWork Compare(CniPlan? desired)
    {
        IReadOnlyList<string> names = _directory.Names(toRemove: desired is null);
        bool stands = names.Contains(_own) || Standing is { IsOurs: true };
        CniOrder order = desired is null ? new(null, null) : CniOrder.Of(_own, stands, names, _directory.Read);
        bool writes = desired is not null && order.Other is null;
        byte[]? wanted = writes ? format.Write(desired!) : null;
        bool isThere = names.Contains(_own);
        bool isRight = wanted is not null && isThere && _directory.Read(_own) is { } standing && standing.AsSpan().SequenceEqual(wanted);
        string[] surplus = [.. names.Where(n => n is CniOrder.Usual or CniOrder.First && (!writes || n != _own))];

        string because = order.Other is { } other ? $": {other} comes first" : "";
        string[] what =
        [
            .. wanted is null || isRight ? [] : new[] { $"{(isThere ? "rewrote" : "wrote")} {_directory.PathOf(_own)}" },
            .. surplus.Select(n => $"removed {_directory.PathOf(n)}{because}"),
        ];
        return new(order, writes, isRight ? null : wanted, surplus, string.Join("; ", what));
    }

    private string? MissingPlugins()
    {
        string[] missing = [.. format.Plugins.Where(p => !File.Exists(Path.Combine(options.BinDirectory, p)))];
        return missing.Length == 0 ? null
            : $"{options.BinDirectory} has no {string.Join(", ", missing)}: {format.Install}, or name their folder in cni.binDirectory";
    }
}

/// <param name="Writes">Ours should stand.</param>
/// <param name="Text">What is to be written; null: nothing.</param>
/// <param name="Surplus">Files of ours that should not be there.</param>
internal sealed record CniWork(CniOrder Order, bool Writes, byte[]? Text, string[] Surplus, string What);
