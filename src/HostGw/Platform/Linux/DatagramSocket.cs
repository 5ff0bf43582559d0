using System.Buffers.Binary;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using HostGw.Platform.Linux.Interop;
using static HostGw.Platform.Linux.Interop.LibcDatagrams;

namespace HostGw.Platform.Linux;

/// <summary>A UDP socket that chooses source address and hops of every datagram, which .NET's cannot. It never blocks.</summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class DatagramSocket : IDisposable
{
    private const int LongestAddress = 28;
    private const int LongestControl = 128;

    private readonly Socket _socket;
    private readonly bool _isIPv4;

    private DatagramSocket(bool isIPv4, int port)
    {
        _isIPv4 = isIPv4;
        _socket = new(isIPv4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            // A local route makes an address this host's. IPv6 only asks for those of interfaces.
            if (!isIPv4)
                Set(IPPROTO_IPV6, IPV6_FREEBIND);
            _socket.Bind(new IPEndPoint(isIPv4 ? IPAddress.Any : IPAddress.IPv6Any, port));
        }
        catch (SocketException)
        {
            _socket.Dispose();
            throw;
        }
    }

    public int Fd => (int)_socket.Handle;

    /// <summary>A socket that is told which of this host's addresses a datagram was sent to, and how many hops it had left.</summary>
    /// <exception cref="SocketException">The port is taken, or this host has no such family.</exception>
    public static DatagramSocket Server(bool isIPv4, int port)
    {
        DatagramSocket server = new(isIPv4, port);
        server.Set(isIPv4 ? IPPROTO_IP : IPPROTO_IPV6, isIPv4 ? IP_PKTINFO : IPV6_RECVPKTINFO);
        server.Set(isIPv4 ? IPPROTO_IP : IPPROTO_IPV6, isIPv4 ? IP_RECVTTL : IPV6_RECVHOPLIMIT);
        return server;
    }

    /// <summary>A socket on a port that the kernel chooses.</summary>
    /// <param name="receivesErrors">ICMP messages about its datagrams are received too.</param>
    /// <exception cref="SocketException">This host has no such family.</exception>
    public static DatagramSocket Client(bool isIPv4, bool receivesErrors = true)
    {
        DatagramSocket client = new(isIPv4, 0);
        if (receivesErrors)
            client.Set(isIPv4 ? IPPROTO_IP : IPPROTO_IPV6, isIPv4 ? IP_RECVERR : IPV6_RECVERR);
        return client;
    }

    /// <summary>A socket on a port that the kernel chooses. No router cuts its datagrams; only the interface limits their size.</summary>
    /// <exception cref="SocketException">This host has no such family.</exception>
    public static DatagramSocket Uncut(bool isIPv4)
    {
        DatagramSocket uncut = new(isIPv4, 0);
        uncut.Set(isIPv4 ? IPPROTO_IP : IPPROTO_IPV6, isIPv4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, PMTUDISC_PROBE);
        return uncut;
    }

    /// <param name="source">None: the kernel chooses.</param>
    /// <param name="hops">How many hops it may live; 0: as usual.</param>
    /// <returns>The error number; 0: it was sent.</returns>
    public int Send(ReadOnlySpan<byte> datagram, Ip source, Ip destination, int port, int hops = 0)
    {
        Span<byte> address = stackalloc byte[LongestAddress];
        Span<byte> control = stackalloc byte[LongestControl];
        int addressLength = SocketAddresses.Write(address, destination, port);
        int controlLength = 0;
        if (!source.IsNone)
            controlLength += ControlMessages.WriteSource(control, source);
        if (hops > 0)
            controlLength += ControlMessages.WriteHops(control[controlLength..], _isIPv4, hops);
        fixed (byte* data = datagram, name = address, options = control)
        {
            iovec part = new() { iov_base = data, iov_len = datagram.Length };
            msghdr message = new()
            {
                msg_name = name,
                msg_namelen = (uint)addressLength,
                msg_iov = &part,
                msg_iovlen = 1,
                msg_control = controlLength > 0 ? options : null,
                msg_controllen = controlLength,
            };
            // The first error may be that of an earlier datagram, which the kernel has kept for this call.
            return sendmsg(Fd, &message, MSG_DONTWAIT) >= 0 || sendmsg(Fd, &message, MSG_DONTWAIT) >= 0
                ? 0
                : Marshal.GetLastPInvokeError();
        }
    }

    /// <summary>Takes the next datagram; false: there is none. One that is longer than the buffer is cut.</summary>
    public bool TryReceive(Span<byte> buffer, out ReceivedDatagram received)
    {
        Span<byte> address = stackalloc byte[LongestAddress];
        Span<byte> control = stackalloc byte[LongestControl];
        received = default;
        if (!TryReceive(buffer, address, ref control, 0, out int length))
            return false;
        Ip from = SocketAddresses.Read(address, out int port);
        received = new(length, from, port, ControlMessages.ReadDestination(control), ControlMessages.ReadHops(control));
        return true;
    }

    /// <summary>Takes the next ICMP message about a datagram of this socket; false: there is none.</summary>
    /// <param name="buffer">Receives the datagram, as far as the message quotes it.</param>
    public bool TryReceiveError(Span<byte> buffer, out DatagramError error)
    {
        Span<byte> address = stackalloc byte[LongestAddress];
        Span<byte> control = stackalloc byte[LongestControl];
        error = default;
        if (!TryReceive(buffer, address, ref control, MSG_ERRQUEUE, out int length))
            return false;
        error = ControlMessages.ReadError(control) with { Length = length };
        return true;
    }

    public void Dispose() => _socket.Dispose();

    private bool TryReceive(Span<byte> buffer, Span<byte> address, ref Span<byte> control, int flags, out int length)
    {
        fixed (byte* data = buffer, name = address, options = control)
        {
            iovec part = new() { iov_base = data, iov_len = buffer.Length };
            msghdr message = new()
            {
                msg_name = name,
                msg_namelen = (uint)address.Length,
                msg_iov = &part,
                msg_iovlen = 1,
                msg_control = options,
                msg_controllen = control.Length,
            };
            length = (int)recvmsg(Fd, &message, MSG_DONTWAIT | flags);
            control = control[..Math.Clamp((int)message.msg_controllen, 0, control.Length)];
            return length >= 0;
        }
    }

    private void Set(int level, int option, byte value = 1) => _socket.SetRawSocketOption(level, option, [value, 0, 0, 0]);
}

/// <summary>sockaddr_in and sockaddr_in6.</summary>
[SupportedOSPlatform("linux")]
internal static class SocketAddresses
{
    private const int IPv4Length = 16;
    private const int IPv6Length = 28;

    /// <returns>How many bytes that took.</returns>
    public static int Write(Span<byte> bytes, Ip address, int port)
    {
        bytes = bytes[..(address.IsIPv4 ? IPv4Length : IPv6Length)];
        bytes.Clear();
        MemoryMarshal.Write(bytes, address.IsIPv4 ? AF_INET : AF_INET6);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], (ushort)port);
        address.WriteBytes(bytes[(address.IsIPv4 ? 4 : 8)..]);
        return bytes.Length;
    }

    /// <summary>None: another family.</summary>
    public static Ip Read(ReadOnlySpan<byte> bytes, out int port)
    {
        ushort family = bytes.Length >= 4 ? MemoryMarshal.Read<ushort>(bytes) : (ushort)0;
        port = family is AF_INET or AF_INET6 ? BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]) : 0;
        return family == AF_INET && bytes.Length >= IPv4Length ? Ip.FromBytes(bytes.Slice(4, 4))
            : family == AF_INET6 && bytes.Length >= IPv6Length ? Ip.FromBytes(bytes.Slice(8, 16))
            : default;
    }
}

/// <summary>The control messages of a datagram: cmsghdr, data, padding to 8 bytes.</summary>
[SupportedOSPlatform("linux")]
internal static class ControlMessages
{
    private const int Header = 16;

    // sock_extended_err, behind which is the address of who sent the ICMP message.
    private const int ErrorLength = 16;

    // in_pktinfo: interface, source, destination of the header.
    private const int IPv4InfoLength = 12;

    // in6_pktinfo: address, interface.
    private const int IPv6InfoLength = 20;

    private const byte IcmpTimeExceeded = 11;
    private const byte Icmpv6TimeExceeded = 3;

    /// <returns>How many bytes that took; so do the others.</returns>
    public static int WriteSource(Span<byte> bytes, Ip source)
    {
        Span<byte> data = source.IsIPv4
            ? Begin(ref bytes, IPPROTO_IP, IP_PKTINFO, IPv4InfoLength)
            : Begin(ref bytes, IPPROTO_IPV6, IPV6_PKTINFO, IPv6InfoLength);
        source.WriteBytes(source.IsIPv4 ? data[4..] : data);
        return bytes.Length;
    }

    public static int WriteHops(Span<byte> bytes, bool isIPv4, int hops)
    {
        Span<byte> data = isIPv4
            ? Begin(ref bytes, IPPROTO_IP, IP_TTL, sizeof(int))
            : Begin(ref bytes, IPPROTO_IPV6, IPV6_HOPLIMIT, sizeof(int));
        MemoryMarshal.Write(data, hops);
        return bytes.Length;
    }

    /// <summary>None: no message says it.</summary>
    public static Ip ReadDestination(ReadOnlySpan<byte> messages)
    {
        while (TryTake(ref messages, out cmsghdr header, out ReadOnlySpan<byte> data))
        {
            if (header is { cmsg_level: IPPROTO_IP, cmsg_type: IP_PKTINFO } && data.Length >= IPv4InfoLength)
                return Ip.FromBytes(data.Slice(8, 4));
            if (header is { cmsg_level: IPPROTO_IPV6, cmsg_type: IPV6_PKTINFO } && data.Length >= IPv6InfoLength)
                return Ip.FromBytes(data[..16]);
        }
        return default;
    }

    /// <summary>0: no message says it.</summary>
    public static int ReadHops(ReadOnlySpan<byte> messages)
    {
        while (TryTake(ref messages, out cmsghdr header, out ReadOnlySpan<byte> data))
        {
            bool isHops = header is { cmsg_level: IPPROTO_IP, cmsg_type: IP_TTL } or { cmsg_level: IPPROTO_IPV6, cmsg_type: IPV6_HOPLIMIT };
            if (isHops && data.Length >= sizeof(int))
                return MemoryMarshal.Read<int>(data);
        }
        return 0;
    }

    /// <summary>Default: no message of ICMP.</summary>
    public static DatagramError ReadError(ReadOnlySpan<byte> messages)
    {
        while (TryTake(ref messages, out cmsghdr header, out ReadOnlySpan<byte> data))
        {
            bool isError = header is { cmsg_level: IPPROTO_IP, cmsg_type: IP_RECVERR } or
            { cmsg_level: IPPROTO_IPV6, cmsg_type: IPV6_RECVERR };
            if (!isError || data.Length < ErrorLength)
                continue;
            (byte origin, byte type) = (data[4], data[5]);
            bool isTimeExceeded = (origin, type) is (SO_EE_ORIGIN_ICMP, IcmpTimeExceeded) or (SO_EE_ORIGIN_ICMP6, Icmpv6TimeExceeded);
            return new(0, SocketAddresses.Read(data[ErrorLength..], out _), isTimeExceeded);
        }
        return default;
    }

    private static Span<byte> Begin(ref Span<byte> bytes, int level, int type, int length)
    {
        bytes = bytes[..(Header + Padded(length))];
        bytes.Clear();
        MemoryMarshal.Write(bytes, new cmsghdr { cmsg_len = Header + length, cmsg_level = level, cmsg_type = type });
        return bytes.Slice(Header, length);
    }

    private static bool TryTake(ref ReadOnlySpan<byte> messages, out cmsghdr header, out ReadOnlySpan<byte> data)
    {
        data = default;
        if (!MemoryMarshal.TryRead(messages, out header) || header.cmsg_len < Header || header.cmsg_len > messages.Length)
            return false;
        data = messages[Header..(int)header.cmsg_len];
        messages = messages[Math.Min(Padded((int)header.cmsg_len), messages.Length)..];
        return true;
    }

    private static int Padded(int length) => (length + 7) & ~7;
}
