using System.Buffers.Binary;
using System.Net.Sockets;
using HostGw.Lab.Network;

namespace HostGw.Lab.Probes;

/// <summary>Echo requests from a namespace to one address, and their replies.</summary>
internal sealed class IcmpSocket : IDisposable
{
    private const int HeaderLength = 8;
    private const int LeastLength = HeaderLength + sizeof(uint);

    private static int _lastIdentifier;

    private readonly Socket _socket;
    private readonly bool _v6;
    private readonly ushort _identifier = (ushort)Interlocked.Increment(ref _lastIdentifier);
    private readonly byte[] _request;
    private readonly byte[] _received;

    /// <param name="bytes">Of a whole packet, if that is more than the headers and a number.</param>
    /// <exception cref="SocketException">The address has no route from there.</exception>
    public IcmpSocket(NetworkNamespace from, IPAddress to, TimeSpan receiveTimeout, int bytes = 0)
    {
        _v6 = to.AddressFamily == AddressFamily.InterNetworkV6;
        _socket = from.Run(() => new Socket(to.AddressFamily, SocketType.Raw, _v6 ? ProtocolType.IcmpV6 : ProtocolType.Icmp));
        _socket.ReceiveTimeout = (int)receiveTimeout.TotalMilliseconds;
        _socket.ReceiveBufferSize = 1 << 20;
        _socket.Connect(to, 0);
        _request = new byte[Math.Max(bytes - (_v6 ? 40 : 20), LeastLength)];
        _received = new byte[_request.Length + 256];
    }

    public void Send(uint number)
    {
        Span<byte> request = _request;
        request[..HeaderLength].Clear();
        request[0] = (byte)(_v6 ? 128 : 8);
        BinaryPrimitives.WriteUInt16BigEndian(request[4..], _identifier);
        BinaryPrimitives.WriteUInt16BigEndian(request[6..], (ushort)number);
        BinaryPrimitives.WriteUInt32BigEndian(request[HeaderLength..], number);
        // For ICMPv6 the kernel adds the checksum, because it covers the addresses.
        if (!_v6)
            BinaryPrimitives.WriteUInt16BigEndian(request[2..], Checksum(request));
        _socket.Send(request);
    }

    /// <summary>Waits for the next reply and returns its number; null after the receive timeout.</summary>
    public uint? Receive()
    {
        while (true)
        {
            int length = _socket.Receive(_received, SocketFlags.None, out SocketError error);
            if (error is SocketError.WouldBlock or SocketError.TimedOut)
                return null;
            if (error is SocketError.NetworkUnreachable or SocketError.HostUnreachable or SocketError.ConnectionRefused)
                continue;
            if (error != SocketError.Success)
                throw new SocketException((int)error);
            if (Number(_received.AsSpan(0, length)) is uint number)
                return number;
        }
    }

    public void Dispose() => _socket.Dispose();

    // A raw socket sees the replies to every other socket of its namespace, too. IPv4 comes with its IP header.
    private uint? Number(ReadOnlySpan<byte> packet)
    {
        ReadOnlySpan<byte> message = _v6 ? packet : packet[((packet[0] & 0xF) * 4)..];
        return message.Length == _request.Length && message[0] == (_v6 ? 129 : 0)
            && BinaryPrimitives.ReadUInt16BigEndian(message[4..]) == _identifier
            ? BinaryPrimitives.ReadUInt32BigEndian(message[HeaderLength..])
            : null;
    }

    private static ushort Checksum(ReadOnlySpan<byte> message)
    {
        uint sum = 0;
        for (int i = 0; i < message.Length; i += 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(message[i..]);
        while (sum >> 16 != 0)
            sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }
}
