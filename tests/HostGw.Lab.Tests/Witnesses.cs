using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using HostGw.Lab.Network;

namespace HostGw.Lab.Tests;

/// <summary>Sockets where nothing of an attacker may arrive. They keep the numbers that arrive all the same.</summary>
internal sealed class Witnesses : IDisposable
{
    /// <summary>A port that nothing else uses.</summary>
    public const int Port = 40001;

    private readonly List<Socket> _sockets = [];
    private readonly ConcurrentDictionary<int, string> _seen = [];

    /// <summary>What arrived, by its number: where.</summary>
    public IReadOnlyDictionary<int, string> Seen => _seen;

    /// <summary>Bytes by which a witness knows the datagram with this number.</summary>
    public static byte[] Mark(int number) => Encoding.ASCII.GetBytes($"#{number:0000}#");

    public void Listen(NetworkNamespace place, int port = Port)
    {
        // One of both families receives no multicasts of IPv4.
        foreach (IPAddress any in (IPAddress[])[IPAddress.Any, IPAddress.IPv6Any])
        {
            Socket socket = place.Run(() =>
            {
                Socket one = new(any.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
                one.Bind(new IPEndPoint(any, port));
                return one;
            });
            _sockets.Add(socket);
            new Thread(() => Receive(socket, $"{place.Name}:{port}")) { IsBackground = true }.Start();
        }
    }

    public void Dispose() => _sockets.ForEach(socket => socket.Dispose());

    private void Receive(Socket socket, string place)
    {
        byte[] buffer = new byte[ushort.MaxValue];
        try
        {
            while (true)
            {
                string text = Encoding.Latin1.GetString(buffer, 0, socket.Receive(buffer));
                int mark = text.IndexOf('#', StringComparison.Ordinal);
                if (mark >= 0 && text.Length >= mark + 6 && int.TryParse(text.AsSpan(mark + 1, 4), out int number))
                    _seen.TryAdd(number, place);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Nobody asks any more.
        }
    }
}
