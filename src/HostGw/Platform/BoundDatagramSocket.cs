using System.Net.Sockets;

namespace HostGw.Platform;

/// <summary>A UDP socket of .NET that is bound to one address: what is sent there, it receives, and what it sends is from there.</summary>
/// <remarks>It never blocks.</remarks>
internal sealed class BoundDatagramSocket : IDisposable
{
    /// <summary>Windows refuses to receive into less than the datagram needs, and the datagram is lost.</summary>
    public const int LongestDatagram = 65_535;

    // Windows reports that a peer's port was closed as an error of the next receive, unless it is told not to:
    // https://learn.microsoft.com/windows/win32/winsock/winsock-ioctls, SIO_UDP_CONNRESET
    private const int SIO_UDP_CONNRESET = unchecked((int)0x9800_000C);

    private readonly Ip _address;
    private readonly EndPoint _any;

    /// <param name="port">0: the system chooses.</param>
    /// <exception cref="SocketException">The port is taken, this host does not have the address, or it has no such family.</exception>
    public BoundDatagramSocket(Ip address, int port)
    {
        _address = address;
        _any = new IPEndPoint(address.IsIPv4 ? IPAddress.Any : IPAddress.IPv6Any, 0);
        Socket = new(address.IsIPv4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp)
        {
            Blocking = false,
        };
        try
        {
            // On Windows any program could take the port over.
            Socket.ExclusiveAddressUse = true;
            if (OperatingSystem.IsWindows())
                Socket.IOControl(SIO_UDP_CONNRESET, [0, 0, 0, 0], null);
            Socket.Bind(new IPEndPoint(address.ToIPAddress(), port));
        }
        catch (SocketException)
        {
            Socket.Dispose();
            throw;
        }
    }

    /// <summary>To wait for it.</summary>
    public Socket Socket { get; }

    /// <returns>Success: it was sent.</returns>
    public SocketError Send(ReadOnlySpan<byte> datagram, Ip destination, int port)
    {
        try
        {
            Socket.SendTo(datagram, SocketFlags.None, new IPEndPoint(destination.ToIPAddress(), port));
            return SocketError.Success;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode;
        }
    }

    /// <summary>Takes the next datagram; false: there is none.</summary>
    /// <param name="buffer">Of <see cref="LongestDatagram"/> bytes.</param>
    /// <exception cref="SocketException">The socket is of no use any more.</exception>
    public bool TryReceive(Span<byte> buffer, out ReceivedDatagram received)
    {
        received = default;
        EndPoint from = _any;
        try
        {
            if (!Socket.Poll(0, SelectMode.SelectRead))
                return false;
            int length = Socket.ReceiveFrom(buffer, SocketFlags.None, ref from);
            var sender = (IPEndPoint)from;
            received = new(length, Ip.From(sender.Address), sender.Port, _address, 0);
            return true;
        }
        catch (SocketException e) when (IsNoFailure(e.SocketErrorCode))
        {
            return false;
        }
    }

    public void Dispose() => Socket.Dispose();

    // Not a failure of the socket: an ICMP message about a datagram that was sent, or a datagram with a wrong checksum.
    private static bool IsNoFailure(SocketError error) =>
        error is SocketError.WouldBlock or SocketError.ConnectionReset or SocketError.NetworkReset;
}

/// <summary>A UDP datagram that this host has received.</summary>
/// <param name="To">The address of this host that it was sent to; none: the socket does not say.</param>
/// <param name="Hops">How many hops it had left to live; 0: the socket does not say.</param>
internal readonly record struct ReceivedDatagram(int Length, Ip From, int Port, Ip To, int Hops);

/// <summary>An ICMP message about a datagram that this host has sent.</summary>
/// <param name="Length">Of what is quoted.</param>
/// <param name="From">Who sent the message.</param>
/// <param name="IsTimeExceeded">The datagram had no hop left to live.</param>
internal readonly record struct DatagramError(int Length, Ip From, bool IsTimeExceeded);
