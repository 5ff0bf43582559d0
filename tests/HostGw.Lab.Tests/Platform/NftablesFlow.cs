using System.Net.Sockets;

namespace HostGw.Lab.Tests.Platform;

/// <summary>Datagrams from one fixed address and port to another: to the kernel, one connection.</summary>
internal sealed class NftablesFlow : IDisposable
{
    private const int TimeoutMilliseconds = 10_000;

    private readonly Socket _client;
    private readonly Socket _server;
    private readonly IPEndPoint _to;

    /// <param name="inClient">Runs a function in the client's network namespace; null: here.</param>
    /// <param name="serverAddress">Where the server listens, if not at the address sent to.</param>
    public NftablesFlow(
        Func<Func<Socket>, Socket>? inClient, string from, Func<Func<Socket>, Socket>? inServer, string to, string? serverAddress = null)
    {
        _server = (inServer ?? (f => f()))(() => Bind(IPAddress.Parse(serverAddress ?? to)));
        _client = (inClient ?? (f => f()))(() => Bind(IPAddress.Parse(from)));
        _to = new(IPAddress.Parse(to), ((IPEndPoint)_server.LocalEndPoint!).Port);
    }

    /// <summary>Sends a datagram; the source address that the server sees.</summary>
    public string SourceSeen()
    {
        _client.SendTo("x"u8, _to);
        EndPoint source = new IPEndPoint(_client.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        _server.ReceiveFrom(new byte[1], ref source);
        return ((IPEndPoint)source).Address.ToString();
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
        var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = TimeoutMilliseconds };
        if (address.AddressFamily == AddressFamily.InterNetwork)
            socket.EnableBroadcast = true;
        socket.Bind(new IPEndPoint(address, 0));
        return socket;
    }
}
