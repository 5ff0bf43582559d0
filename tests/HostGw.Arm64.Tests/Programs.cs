using System.Diagnostics;
using HostGw.Lab.Tests.Image;

namespace HostGw.Arm64.Tests;

internal sealed record Result(int ExitCode, string Output, string Error);

/// <summary>Runs programs of the arm64 image by qemu-user, and the build for this machine.</summary>
internal static class Programs
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static string Root => BuiltImage.LinuxArm64.Root;

    /// <param name="program">A file in the image's /usr/bin, /usr/sbin or /usr/lib.</param>
    public static Task<Result> Arm64Async(string program, params string[] arguments)
    {
        string path = ((string[])["usr/bin", "usr/sbin", "usr/lib"]).Select(folder => Path.Combine(Root, folder, program)).First(File.Exists);
        return RunAsync("qemu-aarch64-static", ["-L", Root, path, .. arguments]);
    }

    public static Task<Result> NativeAsync(params string[] arguments) =>
        RunAsync(Path.Combine(BuiltImage.Repository, "artifacts/hostgw/hostgw"), arguments);

    private static async Task<Result> RunAsync(string program, string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(Patience);
        return new(process.ExitCode, await output, await error);
    }
}
