using System.Diagnostics;
using System.Net.Sockets;
using HostGw.Lab.Network;

namespace HostGw.Lab.Probes;

/// <summary>One echo request.</summary>
public static class Ping
{
    /// <summary>The round trip time, or null if no reply came in time.</summary>
    /// <param name="bytes">Of the whole packet; 0: a small one. A big one may not be fragmented on its way.</param>
    public static TimeSpan? Once(NetworkNamespace from, IPAddress to, TimeSpan timeout, int bytes = 0)
    {
        try
        {
            using var socket = new IcmpSocket(from, to, timeout, bytes);
            long sent = Stopwatch.GetTimestamp();
            socket.Send(1);
            return socket.Receive() is null ? null : Stopwatch.GetElapsedTime(sent);
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
