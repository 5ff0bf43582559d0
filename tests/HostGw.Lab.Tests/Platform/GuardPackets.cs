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
    public static byte[] Udp(string source, string destination, int port) =>
        Udp(IPAddress.Parse(source), IPAddress.Parse(destination), port, "x"u8);

    /// <summary>An IP packet with a UDP datagram.</summary>
    public static byte[] Udp(IPAddress source, IPAddress destination, int port, ReadOnlySpan<byte> data, int fromPort = 40000)
    {
        byte[] from = source.GetAddressBytes(), to = destination.GetAddressBytes();
        byte[] udp = [0, 0, 0, 0, 0, 0, 0, 0, .. data];
        BinaryPrimitives.WriteUInt16BigEndian(udp, (ushort)fromPort);
        BinaryPrimitives.WriteUInt16BigEndian(udp.AsSpan(2), (ushort)port);
        BinaryPrimitives.WriteUInt16BigEndian(udp.AsSpan(4), (ushort)udp.Length);
        byte[] pseudo = [.. from, .. to, 0, 17, udp[4], udp[5], .. udp];
        BinaryPrimitives.WriteUInt16BigEndian(udp.AsSpan(6), Checksum(pseudo));
        return from.Length == 4 ? [.. IPv4(from, to, udp.Length), .. udp] : [.. IPv6(from, to, udp.Length), .. udp];
    }

    /// <summary>Sends a packet as it is, whatever its source.</summary>
    /// <param name="scope">The index of the interface, where the destination needs one.</param>
    public static void SendRaw(byte[] packet, long scope = 0)
    {
        bool isIPv4 = packet[0] >> 4 == 4;
        // The protocol 'raw' means that the header is included.
        AddressFamily family = isIPv4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;
        using Socket socket = new(family, SocketType.Raw, ProtocolType.Raw) { EnableBroadcast = true };
        IPAddress to = isIPv4 ? new(packet.AsSpan(16, 4)) : new(packet.AsSpan(24, 16), scope);
        socket.SendTo(packet, new IPEndPoint(to, 0));
    }

    private static byte[] IPv4(byte[] from, byte[] to, int length)
    {
        byte[] header = [0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, .. from, .. to];
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)(20 + length));
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(10), Checksum(header));
        return header;
    }

    private static byte[] IPv6(byte[] from, byte[] to, int length) =>
        [0x60, 0, 0, 0, (byte)(length >> 8), (byte)length, 17, 64, .. from, .. to];

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
