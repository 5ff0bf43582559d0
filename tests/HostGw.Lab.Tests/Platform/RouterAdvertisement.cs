using System.Buffers.Binary;
using System.Net.Sockets;
using HostGw.Lab.Network;

namespace HostGw.Lab.Tests.Platform;

/// <summary>A router for half an hour (RFC 4861, 4.2).</summary>
internal static class RouterAdvertisement
{
    /// <summary>Multicasts it from the link-local address of an interface.</summary>
    public static void Send(NetworkNamespace network, int link) => network.Run(() =>
    {
        Span<byte> message = stackalloc byte[16];
        message[0] = 134;
        message[4] = 64; // hop limit for others' packets
        BinaryPrimitives.WriteUInt16BigEndian(message[6..], 1800); // seconds
        using var socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Raw, ProtocolType.IcmpV6);
        socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.MulticastTimeToLive, 255);
        socket.SetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.MulticastInterface, link);
        socket.SendTo(message, new IPEndPoint(IPAddress.Parse($"ff02::1%{link}"), 0));
    });
}
