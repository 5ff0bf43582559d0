using System.Globalization;
using HostGw.Lab.Interop;

namespace HostGw.Lab;

/// <summary>The box that <c>up</c> of this program keeps, found by its command line: there is no file that could be left over or lie.</summary>
internal static class RunningBox
{
    /// <summary>Ends every such box, and with it everything inside. False if there was none.</summary>
    public static bool End()
    {
        int[] boxes = Find();
        foreach (int box in boxes)
            _ = Libc.kill(box, Libc.SIGKILL);
        return boxes.Length > 0;
    }

    /// <summary>Process ids.</summary>
    public static int[] Find() => [.. Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Select(ProcessId).Where(IsBox)];

    private static int ProcessId(string? directory) =>
        int.TryParse(directory, NumberStyles.None, CultureInfo.InvariantCulture, out int pid) ? pid : 0;

    // sh …/in-box.sh --inside …/hostgw-lab up, of this very hostgw-lab: another clone's box is not ours to end.
    private static bool IsBox(int pid)
    {
        try
        {
            return pid > 0 && File.ReadAllText($"/proc/{pid}/cmdline").Split('\0') is [_, var script, "--inside", var lab, "up", ""]
                && Path.GetFileName(script) == "in-box.sh" && Path.GetFullPath(lab, WorkingDirectory(pid)) == Environment.ProcessPath;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It ended meanwhile, or is another user's.
            return false;
        }
    }

    private static string WorkingDirectory(int pid) => Directory.ResolveLinkTarget($"/proc/{pid}/cwd", returnFinalTarget: true)?.FullName ?? "/";
}
