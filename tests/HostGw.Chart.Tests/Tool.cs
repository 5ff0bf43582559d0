using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace HostGw.Chart.Tests;

/// <summary>A program, run to its end.</summary>
internal sealed record Tool(string Program)
{
    public static string Root { get; } = FindRoot();

    public static string PathTo(string path) => Path.Combine(Root, path);

    /// <summary>What a script of tests/tools prints.</summary>
    public static string Script(string name, params string[] arguments)
    {
        (int code, string output, string error) = Run("sh", [PathTo($"tests/tools/{name}"), .. arguments]);
        return code == 0 ? output.Trim() : throw new InvalidOperationException($"tests/tools/{name}: {error}");
    }

    /// <summary>Its standard output; anything but success fails the test with what it said.</summary>
    public string Run(params string[] arguments) => Ask("", arguments);

    /// <summary>The same, with something on its standard input.</summary>
    public string Ask(string input, params string[] arguments)
    {
        (int code, string output, string error) = Run(Program, arguments, input);
        Assert.True(code == 0, $"{Path.GetFileName(Program)} {string.Join(' ', arguments)}: exit code {code}: {error}");
        return output;
    }

    /// <summary>What it says when it must fail.</summary>
    public string Fail(params string[] arguments)
    {
        (int code, string output, string error) = Run(Program, arguments);
        Assert.True(code != 0, $"{Path.GetFileName(Program)} {string.Join(' ', arguments)} succeeded: {output}");
        return error;
    }

    /// <summary>Whether it succeeds, and all that it says.</summary>
    public (bool Succeeds, string Text) Try(params string[] arguments)
    {
        (int code, string output, string error) = Run(Program, arguments);
        return (code == 0, output + error);
    }

    private static (int Code, string Output, string Error) Run(string program, string[] arguments, string input = "")
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, error.Result);
    }

    private static string FindRoot([CallerFilePath] string thisFile = "")
    {
        string? folder = Path.GetDirectoryName(thisFile);
        while (folder is not null && !File.Exists(Path.Combine(folder, "HostGw.sln")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("these tests run where they were built, inside the repository");
    }
}
