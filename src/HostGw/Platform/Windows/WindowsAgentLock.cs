using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;

namespace HostGw.Platform.Windows;

/// <summary>Allows one agent per host, by a named mutex, which Windows removes with the last process that holds it.</summary>
[SupportedOSPlatform("windows")]
internal sealed class WindowsAgentLock : IDisposable
{
    private const string Name = @"Global\hostgw-agent";

    private readonly Mutex _mutex;

    private WindowsAgentLock(Mutex mutex) => _mutex = mutex;

    /// <summary>Null if another process holds it.</summary>
    public static WindowsAgentLock? TryAcquire(string stateDirectory)
    {
        try
        {
            // Not owned, for a mutex belongs to a thread: its existence is the lock.
            Mutex mutex = new(initiallyOwned: false, Name, out bool isNew);
            if (isNew)
            {
                WritePid(stateDirectory);
                return new(mutex);
            }
            mutex.Dispose();
        }
        catch (UnauthorizedAccessException)
        {
            // A process of another user holds it.
        }
        return null;
    }

    /// <summary>The process id in the pid file, 0 if there is none, and whether that process is running.</summary>
    public static (int Pid, bool IsAgent) Holder(string stateDirectory)
    {
        try
        {
            string text = File.ReadAllText(Path.Combine(stateDirectory, OwnFiles.Pid));
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int pid))
                return default;
            using var process = Process.GetProcessById(pid);
            return (pid, !process.HasExited);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or Win32Exception)
        {
            return default;
        }
    }

    public void Dispose() => _mutex.Dispose();

    private static void WritePid(string stateDirectory)
    {
        try
        {
            StateDirectory.Make(stateDirectory);
            File.WriteAllText(Path.Combine(stateDirectory, OwnFiles.Pid), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Without the pid file a second agent cannot name this one, and goes on without the lock.
        }
    }
}
