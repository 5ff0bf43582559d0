using System.Diagnostics;

namespace HostGw.Lab.Network;

/// <summary>A program that is run to its end.</summary>
public static class Command
{
    /// <summary>Runs the program and returns what it wrote to standard output.</summary>
    /// <exception cref="CommandException">It did not exit with 0.</exception>
    public static string Run(string program, params IEnumerable<string> arguments) => RunWithInput("", program, arguments);

    /// <inheritdoc cref="Run"/>
    public static string RunWithInput(string input, string program, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();

        return process.ExitCode == 0
            ? output
            : throw new CommandException($"{program} {string.Join(' ', start.ArgumentList)} exited with {process.ExitCode}", error.Result.Trim());
    }
}

/// <summary>A program that did not exit with 0.</summary>
/// <param name="error">What it wrote to standard error.</param>
public sealed class CommandException(string message, string error) : InvalidOperationException($"{message}: {error}")
{
    public string Error { get; } = error;
}
