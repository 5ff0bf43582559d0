using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using HostGw.Lab.Network;

namespace HostGw.Lab.Probes;

/// <summary>A UDP server that answers every datagram with the address it came from, and remembers it.</summary>
public sealed class SourceEcho : IDisposable
{
    public const int Port = 7007;

    private readonly List<Socket> _sockets = [];
    private readonly ConcurrentDictionary<IPAddress, int> _seen = [];

    /// <summary>The source addresses seen so far.</summary>
    public ICollection<IPAddress> Seen => _seen.Keys;

    public static SourceEcho Start(NetworkNamespace network, IEnumerable<IPAddress> addresses)
    {
        var echo = new SourceEcho();
        foreach (IPAddress address in addresses)
        {
            Socket socket = network.Run(() => Bind(address));
            echo._sockets.Add(socket);
            new Thread(() => echo.Serve(socket)) { IsBackground = true }.Start();
        }
        return echo;
    }

    /// <summary>Asks the server at an address which source it sees. Null if no answer came in time.</summary>
    public static IPAddress? Ask(NetworkNamespace from, IPAddress server, TimeSpan timeout) => from.Run(() =>
    {
        using var socket = new Socket(server.AddressFamily, SocketType.Dgram, ProtocolType.Udp)
        {
            ReceiveTimeout = (int)timeout.TotalMilliseconds,
        };
        byte[] answer = new byte[64];
        try
        {
            socket.Connect(server, Port);
            socket.Send("who am I?"u8);
            int length = socket.Receive(answer);
            return IPAddress.Parse(Encoding.ASCII.GetString(answer, 0, length));
        }
        catch (SocketException)
        {
            return null;
        }
    });

    public void Forget() => _seen.Clear();

    public void Dispose() => _sockets.ForEach(socket => socket.Dispose());

    private static Socket Bind(IPAddress address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(address, Port));
        return socket;
    }

    private void Serve(Socket socket)
    {
        byte[] buffer = new byte[64];
        while (true)
        {
            try
            {
                EndPoint from = new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
                socket.ReceiveFrom(buffer, ref from);
                IPAddress source = ((IPEndPoint)from).Address;
                _seen.AddOrUpdate(source, 1, (_, count) => count + 1);
                socket.SendTo(Encoding.ASCII.GetBytes(source.ToString()), from);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.NetworkUnreachable or SocketError.HostUnreachable)
            {
                // Seen, and no way back: that is what an address nobody masqueraded looks like from here.
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }
}
