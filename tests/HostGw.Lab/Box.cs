using System.ComponentModel;
using System.Runtime.InteropServices;
using HostGw.Lab.Interop;

namespace HostGw.Lab;

/// <summary>The walls around a lab: networks, mounts and processes that the kernel removes when the lab ends, however it ends.</summary>
public static class Box
{
    private const string PidVariable = "LAB_BOX_PID";

    /// <summary>Where the lab keeps files. Exists only in the box.</summary>
    public const string Directory = "/run/box";

    public static bool IsInside => Environment.GetEnvironmentVariable(PidVariable) is not null;

    /// <summary>The box's process id, as seen from outside.</summary>
    public static int Pid => int.Parse(Environment.GetEnvironmentVariable(PidVariable)!, System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>What to put before a command to run it in here from another terminal.</summary>
    public static string EnterCommand => EnterCommandOf(Pid);

    /// <param name="box">A box's process id, as seen from outside.</param>
    public static string EnterCommandOf(int box) => $"nsenter --target {box} --net --mount --pid=/proc/{box}/root{Directory}/pid";

    public static bool MayEnter => Libc.geteuid() == 0;

    /// <summary>Starts this program again, with the same arguments, inside a new box. The process id stays the same.</summary>
    /// <exception cref="Win32Exception">The shell could not be started. Otherwise this does not return.</exception>
    public static void Enter(IEnumerable<string> arguments)
    {
        string script = Path.Combine(AppContext.BaseDirectory, "in-box.sh");
        // Runtime files in the private /tmp of the box would be lost; those outside would be left over: make none.
        _ = Libc.setenv("DOTNET_EnableDiagnostics", "0", overwrite: 1);
        _ = Libc.execv("/bin/sh", ["sh", script, Environment.ProcessPath!, .. arguments, null]);
        throw new Win32Exception(Marshal.GetLastPInvokeError(), "cannot start /bin/sh");
    }
}
