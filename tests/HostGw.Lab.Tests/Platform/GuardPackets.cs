using System.Buffers.Binary;
using System.Net.Sockets;

namespace HostGw.Lab.Tests.Platform;

/// <summary>Datagrams byte by byte: what an attacker sends, and no kernel would.</summary>
internal static class GuardPackets
{
    /// <summary>VXLAN-GPE (flags: VNI and next protocol are valid) around a packet.</summary>
    public static byte[] Outer(uint vni, byte[] inner)
    {
        byte[] header = [0x0C, 0, 0, (byte)(inner[0] >> 4 == 4 ? 1 : 2), (byte)(vni >> 16), (byte)(vni >> 8), (byte)vni, 0];
        return [.. header, .. inner];
    }

    /// <summary>An IP packet with a UDP datagram of one byte.</summary>
    public static byte[] Udp(string source, string destination, int port)
    {
        byte[] from = IPAddress.Parse(source).GetAddressBytes(), to = IPAddress.Parse(destination).GetAddressBytes();
        byte[] udp = new byte[9];
        BinaryPrimitives.WriteUInt16BigEndian(udp, 40000);
        BinaryPrimitives.WriteUInt16BigEndian(udp.AsSpan(2), (ushort)port);
        BinaryPrimitives.WriteUInt16BigEndian(udp.AsSpan(4), (ushort)udp.Length);
        udp[8] = (byte)'x';
        BinaryPrimitives.WriteUInt16BigEndian(udp.AsSpan(6), Checksum([.. from, .. to, 0, 17, 0, (byte)udp.Length, .. udp]));
        return from.Length == 4 ? [.. IPv4(from, to, udp.Length), .. udp] : [.. IPv6(from, to, udp.Length), .. udp];
    }

    /// <summary>Sends an IPv4 packet as it is, whatever its source.</summary>
    public static void SendRaw(byte[] packet)
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Raw);
        socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.HeaderIncluded, true);
        socket.SendTo(packet, new IPEndPoint(new IPAddress(packet.AsSpan(16, 4)), 0));
    }

    private static byte[] IPv4(byte[] from, byte[] to, int length)
    {
        byte[] header = [0x45, 0, 0, (byte)(20 + length), 0, 0, 0, 0, 64, 17, 0, 0, .. from, .. to];
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(10), Checksum(header));
        return header;
    }

    private static byte[] IPv6(byte[] from, byte[] to, int length) => [0x60, 0, 0, 0, 0, (byte)length, 17, 64, .. from, .. to];

    private static ushort Checksum(ReadOnlySpan<byte> data)
    {
        uint sum = 0;
        for (int i = 0; i < data.Length; i++)
            sum += (uint)(data[i] << (i % 2 == 0 ? 8 : 0));
        while (sum >> 16 != 0)
            sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }
}
