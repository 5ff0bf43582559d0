using System.Diagnostics;

namespace HostGw.Windows.Tests;

/// <summary>Starts Windows programs. tests/tools/test-windows.sh prepares what is needed and says where it is.</summary>
internal static class Wine
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public static string Root { get; } = FindRoot();

    /// <summary>The published hostgw.exe, and beside it the stand-in for what Wine lacks.</summary>
    private static string Programs { get; } = Path.Combine(Root, "artifacts/windows-node");

    /// <summary>A path of this system as Windows programs see it.</summary>
    public static string PathOf(string path) => "Z:" + path.Replace('/', '\\');

    /// <summary>Starts a program that writes to files: a pipe would be held open by Wine's own processes, too.</summary>
    public static Process Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment, string output, string error)
    {
        if (Environment.GetEnvironmentVariable("WINE") is null)
            throw new InvalidOperationException("`make test-windows` runs these tests");
        var start = new ProcessStartInfo("/bin/sh", ["-c", """exec "$WINE" "$@" >> "$OUTPUT" 2>> "$ERROR" < /dev/null""", "sh", Path.Combine(Programs, program), .. arguments])
        {
            WorkingDirectory = Programs,
        };
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        (start.Environment["OUTPUT"], start.Environment["ERROR"]) = (output, error);
        return Process.Start(start)!;
    }

    /// <summary>Runs a program to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Error)> RunAsync(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        string output = Path.GetTempFileName(), error = Path.GetTempFileName();
        try
        {
            using Process process = Start(program, arguments, environment, output, error);
            await process.WaitForExitAsync().WaitAsync(Patience);
            return (process.ExitCode, File.ReadAllText(output).ReplaceLineEndings("\n"), File.ReadAllText(error).ReplaceLineEndings("\n"));
        }
        finally
        {
            File.Delete(output);
            File.Delete(error);
        }
    }

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "HostGw.sln")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("these tests run where they were built, inside the repository");
    }
}
