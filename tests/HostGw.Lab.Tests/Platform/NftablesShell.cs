using System.Diagnostics;

namespace HostGw.Lab.Tests.Platform;

/// <summary>The tools that these tests compare with. They act in the namespace of the test process.</summary>
internal static class NftablesShell
{
    /// <summary>Runs a command line; its standard output.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message holds what it said.</exception>
    public static string Run(string command)
    {
        (int exitCode, string output, string error) = Try(command);
        return exitCode == 0 ? output : throw new InvalidOperationException($"{command}: exit {exitCode}: {error}{output}");
    }

    public static (int ExitCode, string Output, string Error) Try(string command)
    {
        using Process process = Start(command);
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }

    public static Process Start(string command)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", command])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        return Process.Start(start)!;
    }
}
