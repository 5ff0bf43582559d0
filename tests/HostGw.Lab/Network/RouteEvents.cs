using System.Collections.Immutable;
using System.ComponentModel;
using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using HostGw.Lab.Interop;

namespace HostGw.Lab.Network;

/// <summary>The kernel's own announcements of route changes in a namespace, each with the moment it was heard.</summary>
/// <remarks>Message layout: rtnetlink(7).</remarks>
public sealed class RouteEvents : IDisposable
{
    private const int AF_NETLINK = 16;
    private const int SOCK_RAW = 3;
    private const int RTMGRP_ROUTES = 0x40 | 0x400; // IPv4 and IPv6

    private readonly NetworkNamespace _network;
    private readonly Socket _socket;
    private volatile ImmutableList<RouteEvent> _events = [];

    private RouteEvents(NetworkNamespace network)
    {
        _network = network;
        _socket = network.Run(Open);
        new Thread(Listen) { IsBackground = true }.Start();
    }

    public static RouteEvents Listen(NetworkNamespace network) => new(network);

    /// <summary>Waits for a route to this prefix to be set (or removed) after a moment, and returns how long after it that was.</summary>
    /// <param name="gateway">Null if any will do.</param>
    public async Task<TimeSpan> WaitAsync(long since, IPNetwork destination, bool added, IPAddress? gateway = null)
    {
        RouteEvent? found = null;
        await Eventually.TrueAsync(
            () => (found = _events.Find(e => e.At >= since && e.Added == added && e.Destination.Equals(destination)
                && (gateway is null || gateway.Equals(e.Gateway)))) is not null,
            () => $"{_network.Name}: no route to {destination} was {(added ? "set" : "removed")}; "
                + $"there are [{string.Join(", ", KernelRoute.To(_network, destination))}]");
        return Stopwatch.GetElapsedTime(since, found!.At);
    }

    /// <summary>Whether a route to this prefix was removed, even for a moment. A replaced route is not.</summary>
    public bool Removed(IPNetwork destination) => _events.Exists(e => !e.Added && e.Destination.Equals(destination));

    /// <summary>How many times a route to this prefix was set or replaced.</summary>
    public int Changes(IPNetwork destination) => _events.Count(e => e.Added && e.Destination.Equals(destination));

    public void Dispose() => _socket.Dispose();

    private static Socket Open()
    {
        var handle = new SafeSocketHandle(Libc.socket(AF_NETLINK, SOCK_RAW, 0), ownsHandle: true);
        Span<byte> address = stackalloc byte[12]; // sockaddr_nl: family, padding, port, groups
        address[0] = AF_NETLINK;
        MemoryMarshal.Write(address[8..], RTMGRP_ROUTES);
        if (Libc.bind(handle, address, address.Length) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), "bind of a route socket");
        return new(handle) { ReceiveTimeout = 200 };
    }

    private void Listen()
    {
        byte[] buffer = new byte[1 << 16];
        try
        {
            while (true)
            {
                int length = _socket.Receive(buffer, SocketFlags.None, out SocketError error);
                if (error == SocketError.Success)
                    _events = _events.AddRange(RouteEvent.ReadAll(buffer.AsSpan(0, length), Stopwatch.GetTimestamp()));
            }
        }
        catch (ObjectDisposedException)
        {
            // Nobody listens any more.
        }
    }
}
