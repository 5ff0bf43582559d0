using System.Globalization;
using HostGw.Lab.Interop;

namespace HostGw.Lab;

/// <summary>Remembers, outside of any box, which process holds the lab that <c>up</c> started.</summary>
internal static class RunningBox
{
    private const string File = "/run/hostgw-lab.pid";

    /// <summary>Records this process, which is about to become the box.</summary>
    public static void Record() => System.IO.File.WriteAllText(File, Identity(Environment.ProcessId));

    /// <summary>Ends the recorded box, and with it everything inside. False if there is none.</summary>
    public static bool End()
    {
        if (!System.IO.File.Exists(File))
            return false;

        string recorded = System.IO.File.ReadAllText(File);
        System.IO.File.Delete(File);
        int pid = int.Parse(recorded.Split(' ')[0], CultureInfo.InvariantCulture);
        // A process id may have been given to another process since: the start time tells.
        return Identity(pid) == recorded && Libc.kill(pid, Libc.SIGKILL) == 0;
    }

    // Field 22 of stat is the start time; the name in field 2 may hold blanks, so count from its closing bracket.
    private static string Identity(int pid)
    {
        string stat = $"/proc/{pid}/stat";
        string started = System.IO.File.Exists(stat)
            ? System.IO.File.ReadAllText(stat).Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries)[19]
            : "";
        return $"{pid} {started}";
    }
}
