using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;

namespace HostGw.Platform.Windows;

/// <summary>One agent per host: a named kernel object, which Windows takes away with the last process that holds it.</summary>
[SupportedOSPlatform("windows")]
internal sealed class WindowsAgentLock : IDisposable
{
    private const string Name = @"Global\hostgw-agent";
    private const string PidFile = "agent.pid";

    private readonly Mutex _mutex;

    private WindowsAgentLock(Mutex mutex) => _mutex = mutex;

    /// <summary>Null where another process holds it.</summary>
    public static WindowsAgentLock? TryAcquire(string stateDirectory)
    {
        try
        {
            // Never owned: a mutex belongs to a thread, and ours wanders. That it is new is enough.
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
            // Somebody holds it who does not let us near it.
        }
        return null;
    }

    /// <summary>The process that says it holds it, 0 where none does, and whether that can be an agent: it must live.</summary>
    public static (int Pid, bool IsAgent) Holder(string stateDirectory)
    {
        try
        {
            string text = File.ReadAllText(Path.Combine(stateDirectory, PidFile));
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
            Directory.CreateDirectory(stateDirectory);
            File.WriteAllText(Path.Combine(stateDirectory, PidFile), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A second agent will not know whom it waits for, and take us for a stranger.
        }
    }
}
