using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace HostGw.Platform.Linux.Iptables;

/// <summary>Runs a program of the host to its end: no shell, an environment of two variables, a time limit, bounded output.</summary>
/// <param name="folders">Where programs are looked for, first to last.</param>
internal sealed class HostProgram(IReadOnlyList<string> folders, TimeSpan patience)
{
    public static readonly IReadOnlyList<string> Folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

    private const int MostOutput = 256 * 1024 * 1024;
    private const int MostError = 2000;

    /// <summary>Null where there is no such program.</summary>
    public string? Find(string name) => folders.Select(f => Path.Combine(f, name)).FirstOrDefault(File.Exists);

    /// <param name="path">As <see cref="Find"/> told.</param>
    /// <param name="onLine">Takes the lines of its output.</param>
    /// <exception cref="IptablesException">It could not be started, took too long, wrote too much, or ended with an error.</exception>
    public void Run(string path, IReadOnlyList<string> arguments, string input, Action<string> onLine)
    {
        string what = $"run {string.Join(' ', [path, .. arguments])}";
        using Process process = Start(what, path, arguments);
        bool isLate = false;
        // Killed, it closes its pipes, and the reads below come to their end.
        using var timer = new Timer(_ => { isLate = true; Kill(process); }, null, patience, Timeout.InfiniteTimeSpan);
        Task<string> error = ReadSomeAsync(process.StandardError);
        Write(process, input);
        bool isTooLong = !ReadLines(process.StandardOutput, onLine);
        if (isTooLong)
            Kill(process);
        string complaint = error.GetAwaiter().GetResult();
        process.WaitForExit();
        if (isLate)
            throw new IptablesException($"{what}: it did not end within {patience.TotalSeconds:0} s");
        if (isTooLong)
            throw new IptablesException($"{what}: it wrote more than {MostOutput >> 20} MB");
        if (process.ExitCode != 0)
            throw new IptablesException($"{what}: it ended with {process.ExitCode}{(complaint.Length > 0 ? $": {complaint}" : "")}");
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
            // It ended before it had read all: its exit code says why.
        }
    }

    private static bool ReadLines(StreamReader output, Action<string> onLine)
    {
        long length = 0;
        while (output.ReadLine() is { } line)
        {
            length += line.Length;
            if (length > MostOutput)
                return false;
            onLine(line);
        }
        return true;
    }

    // To the end, that it never waits for us; what is kept fits a log line.
    private static async Task<string> ReadSomeAsync(StreamReader error)
    {
        var text = new StringBuilder();
        var buffer = new char[1024];
        int read;
        while ((read = await error.ReadAsync(buffer).ConfigureAwait(false)) > 0)
            text.Append(buffer, 0, Math.Min(read, MostError - text.Length));
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
            // It ended in the meantime.
        }
    }
}
