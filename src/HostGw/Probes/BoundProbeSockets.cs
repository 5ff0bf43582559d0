using System.Collections.Immutable;
using System.Net.Sockets;
using HostGw.Platform;
using Microsoft.Extensions.Logging;

namespace HostGw.Probes;

/// <summary>
/// With .NET's sockets, for Windows: at each of this node's addresses one that answers and eight that ask. They choose neither source nor
/// hops of a datagram and receive no ICMP messages, so that an address is chosen by its socket.
/// </summary>
internal sealed class BoundProbeSockets : ProbeSockets
{
    // Of a wait: select(2) counts microseconds in 32 bits.
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(30);

    private readonly byte[] _datagram = GC.AllocateUninitializedArray<byte>(BoundDatagramSocket.LongestDatagram);
    private readonly List<Socket> _readable = [];

    // A datagram to itself ends a wait. It is connected: it receives none of others.
    private readonly Socket _wake = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);

    private volatile Ip[] _own = [];
    private Ip[] _addresses = [];

    // First one for each address that answers, then those that ask, by address and port.
    private BoundDatagramSocket?[] _sockets = [];
    private bool[] _isReady = [];

    public BoundProbeSockets(int port, Action<string> report, TimeProvider time, ILogger logger) : base(port, report, time, logger)
    {
        _wake.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _wake.Connect(_wake.LocalEndPoint!);
        _wake.Blocking = false;
    }

    public override int Servers => _addresses.Length;

    public override int Count => _sockets.Length;

    public override void Follow(ImmutableArray<Ip> own)
    {
        if (!own.AsSpan().SequenceEqual(_own))
            _own = [.. own];
    }

    public override void Open()
    {
        Ip[] own = _own;
        if (!ReferenceEquals(own, _addresses))
        {
            Close();
            (_addresses, _sockets) = (own, new BoundDatagramSocket?[own.Length * (1 + Prober.Ports)]);
            _isReady = new bool[_sockets.Length];
            Reopen();
        }
        base.Open();
    }

    public override void Wake()
    {
        // Where there is no room for it, others wait there already.
        _ = _wake.Send([0], SocketFlags.None, out _);
    }

    public override SendResult Ask(ReadOnlySpan<byte> datagram, in ProbeQuestion question)
    {
        int address = Array.IndexOf(_addresses, question.Source);
        if (address < 0 || _sockets[Servers + (address * Prober.Ports) + question.Port] is not { } socket)
            return SendResult.NoSource;
        SocketError error = socket.Send(datagram, question.Destination, Port);
        SendResult result = error switch
        {
            SocketError.Success => SendResult.Sent,
            SocketError.NetworkUnreachable => SendResult.NoRoute,
            SocketError.AddressNotAvailable or SocketError.InvalidArgument => SendResult.NoSource,
            _ => SendResult.Failed,
        };
        if (result == SendResult.NoSource)
            Forget(address, error);
        return result;
    }

    public override void Answer(int number, ReadOnlySpan<byte> datagram, in ReceivedDatagram question) =>
        _sockets[number]?.Send(datagram, question.From, question.Port);

    public override bool TryReceive(int number, Span<byte> buffer, out ReceivedDatagram received)
    {
        received = default;
        if (!_isReady[number] || _sockets[number] is not { } socket)
            return false;
        try
        {
            if (!socket.TryReceive(_datagram, out received))
                return false;
        }
        catch (SocketException e)
        {
            Forget(AddressOf(number), e.SocketErrorCode);
            return false;
        }
        received = received with { Length = Math.Min(received.Length, buffer.Length) };
        _datagram.AsSpan(0, received.Length).CopyTo(buffer);
        return true;
    }

    public override bool TryReceiveError(int number, Span<byte> buffer, out DatagramError error)
    {
        error = default;
        return false;
    }

    public override void Dispose()
    {
        Close();
        _wake.Dispose();
    }

    // An address may be there later: Windows takes it away for a moment when the pods' network is made.
    protected override bool TryOpen(int number)
    {
        if (_sockets[number] is not null)
            return true;
        try
        {
            _sockets[number] = new(_addresses[AddressOf(number)], number < Servers ? Port : 0);
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            return false;
        }
    }

    protected override void Await(TimeSpan atMost)
    {
        _readable.Clear();
        _readable.Add(_wake);
        foreach (BoundDatagramSocket? socket in _sockets)
        {
            if (socket is not null)
                _readable.Add(socket.Socket);
        }
        Socket.Select(_readable, null, null, atMost < TimeSpan.Zero || atMost > Longest ? Longest : atMost);
        for (int number = 0; number < _sockets.Length; number++)
            _isReady[number] = _sockets[number] is { } socket && _readable.Contains(socket.Socket);
        if (_readable.Contains(_wake))
            ReceiveWake();
    }

    private int AddressOf(int number) => number < Servers ? number : (number - Servers) / Prober.Ports;

    // The address may have left this host, and its sockets with it, also where it is there again.
    private void Forget(int address, SocketError reason)
    {
        for (int number = 0; number < _sockets.Length; number++)
        {
            if (AddressOf(number) != address)
                continue;
            _sockets[number]?.Dispose();
            _sockets[number] = null;
        }
        Lost(new SocketException((int)reason).Message);
    }

    private void ReceiveWake()
    {
        SocketError error = SocketError.Success;
        while (error == SocketError.Success)
            _ = _wake.Receive(_datagram, 0, _datagram.Length, SocketFlags.None, out error);
    }

    private void Close()
    {
        foreach (BoundDatagramSocket? socket in _sockets)
            socket?.Dispose();
        _sockets = [];
    }
}
