using System.Net.Sockets;

namespace HostGw.Lab.Tests.Platform;

/// <summary>Datagrams from one fixed address and port to another: to the kernel, one connection.</summary>
internal sealed class NftablesFlow : IDisposable
{
    private const int Attempts = 60;

    private readonly Socket _client;
    private readonly Socket _server;
    private readonly IPEndPoint _to;
    private byte _number;

    /// <param name="inClient">Runs a function in the client's network namespace; null: here.</param>
    /// <param name="serverAddress">Where the server listens, if not at the address sent to.</param>
    public NftablesFlow(
        Func<Func<Socket>, Socket>? inClient, string from, Func<Func<Socket>, Socket>? inServer, string to, string? serverAddress = null)
    {
        _server = (inServer ?? (f => f()))(() => Bind(IPAddress.Parse(serverAddress ?? to)));
        _client = (inClient ?? (f => f()))(() => Bind(IPAddress.Parse(from)));
        _to = new(IPAddress.Parse(to), ((IPEndPoint)_server.LocalEndPoint!).Port);
    }

    /// <summary>Sends a datagram; the source address that the server sees. One that is lost, as before a link is quite up, is sent again.</summary>
    public string SourceSeen()
    {
        byte[] sent = [++_number], received = new byte[1];
        EndPoint source = new IPEndPoint(_client.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        for (int i = 0; i < Attempts; i++)
        {
            _client.SendTo(sent, _to);
            while (_server.Poll(TimeSpan.FromSeconds(1), SelectMode.SelectRead))
            {
                _server.ReceiveFrom(received, ref source);
                if (received[0] == _number)
                    return ((IPEndPoint)source).Address.ToString();
            }
        }
        throw new TimeoutException($"none of {Attempts} datagrams to {_to} arrived");
    }

    /// <summary>Whether a datagram arrives. One that is refused or dropped on the way is gone when the sender's call returns.</summary>
    public bool Arrives()
    {
        _client.SendTo("x"u8, _to);
        return _server.Poll(TimeSpan.FromMilliseconds(200), SelectMode.SelectRead);
    }

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }

    private static Socket Bind(IPAddress address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        if (address.AddressFamily == AddressFamily.InterNetwork)
            socket.EnableBroadcast = true;
        socket.Bind(new IPEndPoint(address, 0));
        return socket;
    }
}
