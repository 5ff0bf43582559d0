using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using System.Security.Principal;

namespace HostGw.Platform.Windows;

/// <summary>
/// Allows one agent per host, by a file in the state directory and a named mutex. Windows releases both when the process ends. No other
/// user can open the file. The mutex is the lock against agents of version 0.1 and those with another state directory; any user can take
/// its name: then this agent reports that and runs without it.
/// </summary>
[SupportedOSPlatform("windows")]
internal sealed class WindowsAgentLock : IDisposable
{
    /// <summary>Of the mutex.</summary>
    public const string Name = @"Global\hostgw-agent";

    // HRESULT of ERROR_SHARING_VIOLATION: the file is open.
    private const int SharingViolation = unchecked((int)0x80070020);

    private readonly FileStream? _file;
    private readonly Mutex? _mutex;

    private WindowsAgentLock(FileStream? file, Mutex? mutex) => (_file, _mutex) = (file, mutex);

    /// <summary>Null if another agent holds it.</summary>
    /// <param name="report">Takes why a part of the lock is missing: another user has it, or it cannot be made.</param>
    public static WindowsAgentLock? TryAcquire(string stateDirectory, Action<string> report)
    {
        if (!TryOpen(stateDirectory, out FileStream? file, out string fault))
            return null;
        if (!TryName(out Mutex? mutex, out string squatter))
        {
            file?.Dispose();
            return null;
        }
        foreach (string lack in (string[])[fault, squatter])
        {
            if (lack.Length > 0)
                report(lack);
        }
        WritePid(stateDirectory);
        return new(file, mutex);
    }

    /// <summary>
    /// The process id in the pid file, 0 if it is not that of a process that may have written it. Who keeps <see cref="TryAcquire"/> from
    /// the lock is an agent, for nobody else can.
    /// </summary>
    public static (int Pid, bool IsAgent) Holder(string stateDirectory)
    {
        try
        {
            string path = Path.Combine(stateDirectory, OwnFiles.Pid);
            if (!int.TryParse(File.ReadAllText(path), NumberStyles.None, CultureInfo.InvariantCulture, out int pid))
                return (0, true);
            using var process = Process.GetProcessById(pid);
            bool isWriter = !process.HasExited && process.StartTime.ToUniversalTime() <= File.GetLastWriteTimeUtc(path);
            return (isWriter ? pid : 0, true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or InvalidOperationException
            or Win32Exception)
        {
            return (0, true);
        }
    }

    public void Dispose()
    {
        _mutex?.Dispose();
        _file?.Dispose();
    }

    /// <returns>False: an agent has it open.</returns>
    private static bool TryOpen(string directory, out FileStream? file, out string fault)
    {
        string path = Path.Combine(directory, OwnFiles.Lock);
        (file, fault) = (null, "");
        try
        {
            StateDirectory.Make(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            fault = $"{directory} cannot hold the lock file: {e.Message}";
            return true;
        }
        try
        {
            file = new(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None);
        }
        catch (IOException e) when (e.HResult == SharingViolation)
        {
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            fault = $"{path} cannot be locked: {e.Message}";
        }
        return true;
    }

    /// <returns>False: an agent has it.</returns>
    private static bool TryName(out Mutex? mutex, out string fault)
    {
        (mutex, fault) = (null, "");
        try
        {
            // Not owned, for a mutex belongs to a thread: its existence is the lock.
            mutex = new(initiallyOwned: false, Name, out bool isNew);
            if (isNew)
                return true;
            mutex.Dispose();
            mutex = null;
        }
        catch (Exception e) when (e is UnauthorizedAccessException or WaitHandleCannotBeOpenedException)
        {
            // Of another user, or no mutex: its owner decides.
        }
        fault = Squatter();
        return fault.Length > 0;
    }

    // Empty also if it is gone by now: the next attempt finds it free.
    private static string Squatter()
    {
        using var self = WindowsIdentity.GetCurrent();
        return ObjectOwner.OfMutex(Name) is not { } owner || FileOwner.IsTrusted(owner, self.User?.Value ?? "") ? ""
            : $"a program of {ObjectOwner.Describe(owner)} has taken the name {Name}, which only agents use: end it. Until then " +
                "agents of version 0.1, and those with another stateDirectory, can run at the same time as this one";
    }

    private static void WritePid(string stateDirectory)
    {
        try
        {
            File.WriteAllText(Path.Combine(stateDirectory, OwnFiles.Pid), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Without the pid file a second agent cannot name this one.
        }
    }
}
