using System.Net.Sockets;
using HostGw.Lab.Network;

namespace HostGw.Lab.Tests.Platform;

/// <summary>Which source address the other side of a new connection sees.</summary>
internal static class SourceSeen
{
    private const int TimeoutMilliseconds = 60_000;

    /// <param name="protocol">udp, tcp or icmp.</param>
    /// <param name="client">Null: here; likewise <paramref name="server"/>.</param>
    public static string By(string protocol, NetworkNamespace? client, string from, NetworkNamespace? server, string to)
    {
        if (protocol == "udp")
        {
            using NftablesFlow flow = new(client is null ? null : client.Run, from, server is null ? null : server.Run, to);
            return flow.SourceSeen();
        }
        return protocol == "tcp" ? Tcp(client!, from, server!, to) : Icmp(client!, from, server!, to);
    }

    private static string Tcp(NetworkNamespace client, string from, NetworkNamespace server, string to)
    {
        using TcpListener listener = server.Run(() => new TcpListener(IPAddress.Parse(to), 0));
        server.Run(listener.Start);
        using Socket socket = client.Run(() => new Socket(IPAddress.Parse(from).AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        socket.Connect((IPEndPoint)listener.LocalEndpoint);
        using Socket accepted = listener.AcceptSocket();
        return ((IPEndPoint)accepted.RemoteEndPoint!).Address.ToString();
    }

    // A raw socket sees every echo request that arrives; the sequence number tells ours.
    private static string Icmp(NetworkNamespace client, string from, NetworkNamespace server, string to)
    {
        bool v6 = to.Contains(':', StringComparison.Ordinal);
        byte number = (byte)Random.Shared.Next(256);
        using Socket listener = server.Run(() => Raw(to, v6));
        using Socket socket = client.Run(() => Raw(from, v6));
        byte[] request = [(byte)(v6 ? 128 : 8), 0, 0, 0, 0, 0, 0, number];
        if (!v6)
            (request[2], request[3]) = (0xFF - 8, (byte)(0xFF - number));
        socket.SendTo(request, new IPEndPoint(IPAddress.Parse(to), 0));

        byte[] buffer = new byte[256];
        while (true)
        {
            EndPoint source = new IPEndPoint(v6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
            int length = listener.ReceiveFrom(buffer, ref source);
            ReadOnlySpan<byte> message = v6 ? buffer.AsSpan(0, length) : buffer.AsSpan(20, length - 20);
            if (message.Length == request.Length && message[0] == request[0] && message[7] == number)
                return ((IPEndPoint)source).Address.ToString();
        }
    }

    private static Socket Raw(string address, bool v6)
    {
        var socket = new Socket(v6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork, SocketType.Raw, v6 ? ProtocolType.IcmpV6 : ProtocolType.Icmp)
        {
            ReceiveTimeout = TimeoutMilliseconds,
        };
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        return socket;
    }
}
