using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace HostGw.Platform.Linux.Iptables;

/// <summary>Runs iptables-save and iptables-restore of one flavour, for both address families.</summary>
internal sealed class IptablesPrograms(HostProgram program, IptablesFlavour flavour)
{
    // Seconds to wait for /run/xtables.lock, the same as kube-proxy. iptables-nft has no lock, but accepts the option.
    private const string LockSeconds = "5";

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
        Run(ipv4, "save", ["-t", name], "", table.Read);
        return table.IsComplete ? table : throw new IptablesException(
            $"read table {name} with {ProgramName(ipv4, "save")}: it holds rules that iptables cannot show; " +
            "remove those made with nft in it, or set nat.backend to nftables")
        { IsOfOneTable = true };
    }

    /// <summary>Executes one transaction: all of it or nothing.</summary>
    /// <exception cref="IptablesException">It was refused.</exception>
    public void Restore(bool ipv4, string text)
    {
        Writes++;
        Run(ipv4, "restore", ["--noflush", "--wait", LockSeconds], text, static _ => { });
    }

    private void Run(bool ipv4, string action, IReadOnlyList<string> arguments, string input, Action<string> onLine)
    {
        string name = ProgramName(ipv4, action);
        string path = program.Find(name) ?? throw new IptablesException(
            $"find the program {name}: install iptables (the package brings both flavours on most distributions), " +
            "or do without: nat.backend nftables or none, forwardAccept false");
        try
        {
            program.Run(path, arguments, input, onLine);
        }
        catch (IptablesException e) when (flavour == IptablesFlavour.Legacy)
        {
            throw new IptablesException(
                $"{e.Message}; iptables-legacy needs the capabilities NET_ADMIN and NET_RAW, a writable /run/xtables.lock and the " +
                "kernel's ip_tables modules", e);
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

/// <summary>Runs a program of the host until it exits: no shell, two environment variables, a timeout, bounded output.</summary>
/// <param name="folders">Where programs are searched, in this order.</param>
internal sealed class HostProgram(IReadOnlyList<string> folders, TimeSpan timeout)
{
    /// <summary>The usual timeout.</summary>
    public static readonly TimeSpan LongestRun = TimeSpan.FromSeconds(15);

    public static readonly IReadOnlyList<string> Folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

    private const int MaxOutput = 256 * 1024 * 1024;
    private const int MaxError = 2000;

    /// <summary>Null if there is no such program.</summary>
    public string? Find(string name) => folders.Select(f => Path.Combine(f, name)).FirstOrDefault(File.Exists);

    /// <param name="path">As <see cref="Find"/> returned it.</param>
    /// <param name="onLine">Receives the lines of its output.</param>
    /// <exception cref="IptablesException">It could not be started, took too long, wrote too much, or exited with an error.</exception>
    public void Run(string path, IReadOnlyList<string> arguments, string input, Action<string> onLine)
    {
        string what = $"run {string.Join(' ', [path, .. arguments])}";
        using Process process = Start(what, path, arguments);
        bool isLate = false;
        // A killed process closes its pipes, which ends the reads below.
        using var timer = new Timer(_ => { isLate = true; Kill(process); }, null, timeout, Timeout.InfiniteTimeSpan);
        Task<string> reading = ReadErrorAsync(process.StandardError);
        Write(process, input);
        bool isTooLong = !ReadLines(process.StandardOutput, onLine);
        if (isTooLong)
            Kill(process);
        string error = reading.GetAwaiter().GetResult();
        process.WaitForExit();
        if (isLate)
            throw new IptablesException($"{what}: it did not exit within {timeout.TotalSeconds:0} s");
        if (isTooLong)
            throw new IptablesException($"{what}: it wrote more than {MaxOutput >> 20} MB");
        if (process.ExitCode != 0)
            throw new IptablesException($"{what}: exit code {process.ExitCode}{(error.Length > 0 ? $": {error}" : "")}");
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
}
