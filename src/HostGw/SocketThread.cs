namespace HostGw;

/// <summary>
/// One thread waits for all sockets of .NET on Linux, and reads and handles what they receive itself. The thread pool, to which it would
/// otherwise be handed, wakes two or three threads more for each heartbeat, which takes a third as much processor time again.
/// </summary>
/// <remarks>
/// What follows an await of a socket must not block until another socket has received something. Passes run in the thread pool: the
/// channel that wakes them hands them over. The two names are read by SocketAsyncEngine:
/// https://github.com/dotnet/runtime/blob/main/src/libraries/System.Net.Sockets/src/System/Net/Sockets/SocketAsyncEngine.Unix.cs
/// </remarks>
internal static class SocketThread
{
    // The second one because there would be a thread for each processor.
    private static readonly (string Name, string Value)[] Variables =
        [("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1"), ("DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT", "1")];

    /// <summary>To be called before the first socket is used.</summary>
    public static void HandlesWhatItReceives()
    {
        foreach ((string name, string value) in Variables)
            Environment.SetEnvironmentVariable(name, value);
    }

    /// <summary>A program of others may be written in .NET too, and block.</summary>
    /// <param name="environment">That program's.</param>
    public static void HideFrom(IDictionary<string, string?> environment)
    {
        foreach ((string name, _) in Variables)
            environment.Remove(name);
    }
}
