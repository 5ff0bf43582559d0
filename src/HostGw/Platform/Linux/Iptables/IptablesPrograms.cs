using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace HostGw.Platform.Linux.Iptables;

/// <summary>Runs iptables-save and iptables-restore of one flavour, for both address families.</summary>
internal sealed class IptablesPrograms(HostProgram program, IptablesFlavour flavour)
{
    // Seconds to wait for /run/xtables.lock, the same as kube-proxy. iptables-nft has no lock, but accepts the option.
    private const int LockSeconds = 5;

    public IptablesFlavour Flavour => flavour;

    public string Name { get; } = flavour == IptablesFlavour.Nft ? "iptables-nft" : "iptables-legacy";

    /// <summary>The number of changes made.</summary>
    public long Writes { get; private set; }

    public bool AreInstalled(bool ipv4) =>
        program.Find(ProgramName(ipv4, "save")) is not null && program.Find(ProgramName(ipv4, "restore")) is not null;

    /// <summary>Reads a table into <paramref name="table"/>. Legacy creates it if there is none, and the kernel loads its module.</summary>
    /// <exception cref="IptablesException">It could not be read.</exception>
    public SavedTable Read(bool ipv4, string name, SavedTable table)
    {
        Run(ProgramName(ipv4, "save"), ["-t", name], "", default, table.Read);
        return table.IsComplete ? table : throw new IptablesException(
            $"read table {name} with {ProgramName(ipv4, "save")}: it holds rules that iptables cannot show; " +
            "remove those made with nft in it, or set nat.backend to nftables")
        { IsOfOneTable = true };
    }

    /// <summary>Executes one transaction: all of it or nothing.</summary>
    /// <param name="table">The one that <paramref name="text"/> changes.</param>
    /// <exception cref="IptablesException">It was refused.</exception>
    public void Restore(bool ipv4, string table, string text)
    {
        Writes++;
        ProgramUse use = new($"table {table}", TimeSpan.FromSeconds(LockSeconds));
        Run(ProgramName(ipv4, "restore"), ["--noflush", "--wait", $"{LockSeconds}"], text, use, static _ => { });
    }

    private void Run(string name, IReadOnlyList<string> arguments, string input, ProgramUse use, Action<string> onLine)
    {
        string path = program.Find(name) ?? throw new IptablesException(
            $"find the program {name}: install iptables (the package brings both flavours on most distributions), " +
            "or do without: nat.backend nftables or none, forwardAccept false");
        try
        {
            program.Run(path, arguments, input, onLine, use);
        }
        catch (IptablesException e) when (flavour == IptablesFlavour.Legacy)
        {
            throw new IptablesException(
                $"{e.Message}; iptables-legacy needs the capabilities NET_ADMIN and NET_RAW, a writable /run/xtables.lock and the " +
                "kernel's ip_tables modules", e)
            { IsOfOneTable = e.IsOfOneTable };
        }
    }

    private string ProgramName(bool ipv4, string action) =>
        $"{(ipv4 ? "iptables" : "ip6tables")}-{(flavour == IptablesFlavour.Nft ? "nft" : "legacy")}-{action}";
}

/// <summary>iptables is not installed, failed, or cannot do what is required.</summary>
internal sealed class IptablesException(string message, Exception? inner = null) : HostNetworkException(message, inner)
{
    public override bool IsNotFound => false;

    /// <summary>The program works, and may well read other tables.</summary>
    public bool IsOfOneTable { get; init; }
}

/// <summary>What a program is run for, beyond its arguments.</summary>
/// <param name="Of">What its input changes: one that hangs says nothing about others. Null: the arguments say it.</param>
/// <param name="LockTime">How long it may wait for a lock before it begins.</param>
internal readonly record struct ProgramUse(string? Of, TimeSpan LockTime);

/// <summary>
/// Runs programs of the host until they exit: no shell, two environment variables, bounded time and output. All programs of one pass
/// share its time, and one that hung is not run again for a while, which doubles when it hangs again: a node that joins meanwhile waits
/// for the next pass.
/// </summary>
/// <param name="folders">Where programs are searched, in this order.</param>
/// <param name="budget">How long all programs of one pass may take together.</param>
internal sealed class HostProgram(IReadOnlyList<string> folders, TimeSpan budget, TimeProvider time)
{
    /// <summary>The usual budget.</summary>
    public static readonly TimeSpan TimeOfPass = TimeSpan.FromSeconds(15);

    public static readonly IReadOnlyList<string> Folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

    private const int MaxOutput = 256 * 1024 * 1024;
    private const int MaxError = 2000;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan ShortestRun = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan ShortestAfterLock = TimeSpan.FromSeconds(1);

    // By program, arguments and use.
    private readonly Dictionary<string, Hang> _hung = [];
    private TimeSpan _spent;

    /// <summary>Null if there is no such program.</summary>
    public string? Find(string name) => folders.Select(f => Path.Combine(f, name)).FirstOrDefault(File.Exists);

    public void BeginPass() => _spent = TimeSpan.Zero;

    /// <param name="path">As <see cref="Find"/> returned it.</param>
    /// <param name="onLine">Receives the lines of its output.</param>
    /// <exception cref="IptablesException">
    /// It could not be started, took too long, now or a moment ago, wrote too much, or exited with an error.
    /// </exception>
    public void Run(string path, IReadOnlyList<string> arguments, string input, Action<string> onLine, ProgramUse use = default)
    {
        string what = $"run {string.Join(' ', [path, .. arguments])}{(use.Of is null ? "" : $" ({use.Of})")}";
        _hung.TryGetValue(what, out Hang? before);
        if (before is not null && (!before.Run.IsCompleted || time.GetElapsedTime(before.At) < before.Pause))
            throw new IptablesException(before.Message);
        TimeSpan limit = Limit(use.LockTime) ??
            throw new IptablesException($"{what}: not run, because other programs took too long in this pass") { IsOfOneTable = true };

        long start = time.GetTimestamp();
        // On this thread: the program gets its network namespace.
        Process process = Start(what, path, arguments);
        Task run = Task.Run(() => Follow(process, what, input, onLine));
        bool isLate = !Ends(run, limit);
        // A killed program closes its pipes, which ends its task, unless the kernel holds it.
        if (isLate)
            Kill(process);
        _spent += time.GetElapsedTime(start);
        if (isLate)
            throw Late(what, limit, before, run);
        _hung.Remove(what);
        run.GetAwaiter().GetResult();
    }

    private IptablesException Late(string what, TimeSpan limit, Hang? before, Task run)
    {
        // The same text as before, so that the log does not repeat it.
        string message = before?.Message ??
            $"{what}: it did not exit within {limit.TotalSeconds:0.#} s; it is not run again for {FirstPause.TotalSeconds:0} s, " +
            $"and for twice as long each time that it hangs again, at most {LongestPause.TotalMinutes:0} min";
        TimeSpan pause = before is null ? FirstPause : before.Pause * 2 < LongestPause ? before.Pause * 2 : LongestPause;
        _hung[what] = new(message, time.GetTimestamp(), pause, run);
        return new(message);
    }

    // Null: too little of the pass is left. One that hangs leaves time to the others; one that waits for a lock does not hang.
    private TimeSpan? Limit(TimeSpan lockTime)
    {
        TimeSpan left = budget - _spent, share = left * 2 / 3;
        TimeSpan atLeast = lockTime > TimeSpan.Zero ? lockTime + ShortestAfterLock : ShortestRun;
        return share >= atLeast ? share
            : lockTime > TimeSpan.Zero && left >= atLeast ? atLeast
            : null;
    }

    private bool Ends(Task run, TimeSpan limit)
    {
        using var late = new CancellationTokenSource(limit, time);
        try
        {
            Task.WaitAny([run], late.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return run.IsCompleted;
        }
    }

    private static void Follow(Process process, string what, string input, Action<string> onLine)
    {
        using (process)
        {
            Task<string> reading = ReadErrorAsync(process.StandardError);
            Write(process, input);
            bool isTooLong = !ReadLines(process.StandardOutput, onLine);
            if (isTooLong)
                Kill(process);
            string error = reading.GetAwaiter().GetResult();
            process.WaitForExit();
            if (isTooLong)
                throw new IptablesException($"{what}: it wrote more than {MaxOutput >> 20} MB");
            if (process.ExitCode != 0)
                throw new IptablesException($"{what}: exit code {process.ExitCode}{(error.Length > 0 ? $": {error}" : "")}");
        }
    }

    private static Process Start(string what, string path, IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(path, arguments)
        {
            WorkingDirectory = "/",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        start.Environment.Clear();
        start.Environment["PATH"] = string.Join(':', Folders);
        start.Environment["LC_ALL"] = "C";
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new IptablesException($"{what}: {e.Message}", e);
        }
    }

    private static void Write(Process process, string input)
    {
        try
        {
            process.StandardInput.Write(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It exited before it read everything: its exit code is reported.
        }
    }

    private static bool ReadLines(StreamReader output, Action<string> onLine)
    {
        long length = 0;
        while (output.ReadLine() is { } line)
        {
            length += line.Length;
            if (length > MaxOutput)
                return false;
            onLine(line);
        }
        return true;
    }

    // Reads to the end, so that the program never blocks on a full pipe, and keeps as much as fits a log line.
    private static async Task<string> ReadErrorAsync(StreamReader error)
    {
        var text = new StringBuilder();
        var buffer = new char[1024];
        int read;
        while ((read = await error.ReadAsync(buffer).ConfigureAwait(false)) > 0)
            text.Append(buffer, 0, Math.Min(read, MaxError - text.Length));
        return string.Join("; ", text.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It has exited meanwhile.
        }
    }

    /// <param name="Run">Ends when the program has exited: one that the kernel holds cannot be killed.</param>
    private sealed record Hang(string Message, long At, TimeSpan Pause, Task Run);
}
