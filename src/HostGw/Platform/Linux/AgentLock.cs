using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace HostGw.Platform.Linux;

/// <summary>
/// Allows one agent per host: an abstract Unix socket, which belongs to the network namespace as the routes do. The kernel
/// releases it when the process that holds it ends.
/// </summary>
/// <remarks>https://man7.org/linux/man-pages/man7/unix.7.html</remarks>
[SupportedOSPlatform("linux")]
internal sealed class AgentLock : IDisposable
{
    private const int SOL_SOCKET = 1;
    private const int SO_PEERCRED = 17;
    private static readonly UnixDomainSocketEndPoint Name = new("\0hostgw-agent");

    private readonly Socket _socket;

    private AgentLock(Socket socket) => _socket = socket;

    /// <summary>Null if another process holds it.</summary>
    public static AgentLock? TryAcquire()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(Name);
            socket.Listen();
            return new(socket);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            socket.Dispose();
            return null;
        }
    }

    /// <summary>
    /// The process that holds the lock (0 if none does, or if it is in a pid namespace that hides it), and whether it can be an agent: any
    /// process may bind the name, but an agent listens (a moment later), accepts no connection, and runs as root, unless this process
    /// does not either.
    /// </summary>
    public static (int Pid, bool IsAgent) Holder()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        // A holder whose backlog is full must not block this process.
        socket.Blocking = false;
        try
        {
            socket.Connect(Name);
        }
        catch (SocketException)
        {
            return default;
        }
        Span<byte> credentials = stackalloc byte[12]; // struct ucred: pid, uid, gid
        if (socket.GetRawSocketOption(SOL_SOCKET, SO_PEERCRED, credentials) != credentials.Length)
            return default;
        uint uid = MemoryMarshal.Read<uint>(credentials[sizeof(int)..]);
        return (MemoryMarshal.Read<int>(credentials), uid == 0 || !Environment.IsPrivilegedProcess);
    }

    public void Dispose() => _socket.Dispose();
}
