using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using HostGw.Platform.Linux.Interop;
using static HostGw.Platform.Linux.Netlink.NetlinkFlags;

namespace HostGw.Platform.Linux.Netlink;

/// <summary>Receives one message of a dump.</summary>
internal delegate void NetlinkMessageHandler(ushort type, ReadOnlySpan<byte> payload);

/// <summary>Receives one answer to message <paramref name="index"/> of a batch.</summary>
internal delegate void NetlinkAnswerHandler(int index, ReadOnlySpan<byte> payload);

/// <summary>Receives the kernel's refusal of message <paramref name="index"/> of a batch.</summary>
internal delegate void NetlinkFailureHandler(int index, NetlinkException failure);

/// <summary>Sends requests to the kernel and waits for the answers. Not thread-safe: one pass uses it at a time.</summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class NetlinkSocket : IDisposable
{
    /// <summary>Enough that the cost of a send no longer matters, few enough that all acks fit into the receive buffer.</summary>
    public const int MessagesPerSend = 100;
    private const int BytesPerSend = 64 * 1024;
    private const int DumpAttempts = 5;
    private const ushort NLMSG_ERROR = 2;
    private const ushort NLMSG_DONE = 3;
    private const ushort NLM_F_DUMP_INTR = 0x10;

    // The kernel fills dump buffers up to 32 KiB; larger ones only if one message needs it.
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly NetlinkHandle _handle;
    private uint _sequence;

    /// <param name="protocol">NETLINK_ROUTE (0) or NETLINK_NETFILTER (12).</param>
    /// <exception cref="NetlinkException">The kernel has no such protocol, or forbids the socket.</exception>
    public NetlinkSocket(int protocol)
    {
        _handle = NetlinkHandle.Open(protocol, blocking: true);
        // After ten seconds without an answer the request fails instead of blocking the pass for ever.
        _handle.TrySetOption(Libc.SOL_SOCKET, Libc.SO_RCVTIMEO, new timeval { tv_sec = 10 });
        _handle.TrySetOption(Libc.SOL_NETLINK, Libc.NETLINK_EXT_ACK, 1);
        _handle.TrySetOption(Libc.SOL_NETLINK, Libc.NETLINK_CAP_ACK, 1);
        _handle.TrySetOption(Libc.SOL_NETLINK, Libc.NETLINK_GET_STRICT_CHK, 1);
    }

    /// <summary>The port id that the kernel's notifications of this socket's changes carry.</summary>
    public uint PortId => _handle.PortId;

    /// <summary>The number of changing messages sent since the socket was opened.</summary>
    public long Writes { get; private set; }

    /// <summary>The sequence number of the next message; callers pass it to <see cref="NetlinkWriter.Begin"/>.</summary>
    public uint NextSequence() => ++_sequence;

    /// <summary>Sends the one dump request in <paramref name="request"/> and passes on every answer.</summary>
    /// <param name="what">The request, in words.</param>
    /// <param name="restart">Called before each attempt: a dump that the kernel interrupted is repeated from the start.</param>
    /// <exception cref="NetlinkException">The kernel refused, or did not answer.</exception>
    public void Dump(string what, NetlinkWriter request, Action restart, NetlinkMessageHandler onMessage)
    {
        uint sequence = MemoryMarshal.Read<NetlinkHeader>(request.Written).Sequence;
        // Under constant changes every dump may be interrupted. The last one is used: notifications of the changes cause another pass.
        for (int attempt = 1; attempt <= DumpAttempts; attempt++)
        {
            restart();
            Send(what, request.Written);
            if (ReceiveDump(what, sequence, onMessage))
                return;
        }
    }

    /// <summary>Sends all messages, many at a time, and reports each that the kernel refused. All must ask for an ack.</summary>
    /// <exception cref="NetlinkException">The exchange itself failed: the result of the messages not reported is unknown.</exception>
    public void Execute(string what, NetlinkWriter batch, NetlinkFailureHandler onFailure)
    {
        for (int first = 0; first < batch.Count;)
        {
            int end = EndOfSend(batch, first);
            Writes += end - first;
            ExecuteOnce(what, batch, first, end, onFailure);
            first = end;
        }
    }

    /// <summary>
    /// Sends all questions, many at a time, and passes on each answer: one that the kernel refuses has none. All must ask for an ack.
    /// </summary>
    /// <exception cref="NetlinkException">The exchange itself failed.</exception>
    public void Ask(string what, NetlinkWriter batch, NetlinkAnswerHandler onAnswer)
    {
        for (int first = 0; first < batch.Count;)
        {
            int end = EndOfSend(batch, first);
            ExecuteOnce(what, batch, first, end, static (_, _) => { }, onAnswer);
            first = end;
        }
    }

    /// <summary>Sends all messages as one transaction (nfnetlink batches): they must reach the kernel in a single send.</summary>
    /// <inheritdoc cref="Execute"/>
    public void ExecuteWhole(string what, NetlinkWriter batch, NetlinkFailureHandler onFailure)
    {
        // The default send buffer takes 200 KB; longer messages are refused with EMSGSIZE.
        if (batch.Length > BytesPerSend)
            _handle.TrySetOption(Libc.SOL_SOCKET, Libc.SO_SNDBUFFORCE, batch.Length);
        Writes += batch.Count;
        ExecuteOnce(what, batch, 0, batch.Count, onFailure);
    }

    public void Dispose() => _handle.Dispose();

    private static int EndOfSend(NetlinkWriter batch, int first)
    {
        int end = first + 1;
        while (end < batch.Count && end - first < MessagesPerSend && batch.Messages(first, end + 1).Length <= BytesPerSend)
            end++;
        return end;
    }

    private void ExecuteOnce(
        string what, NetlinkWriter batch, int first, int end, NetlinkFailureHandler onFailure, NetlinkAnswerHandler? onAnswer = null)
    {
        ReadOnlySpan<byte> bytes = batch.Messages(first, end);
        PendingAcks pending = new(bytes, first);
        Send(what, bytes);
        while (pending.Count > 0)
        {
            var messages = new NetlinkMessages(Receive(what));
            while (messages.Next())
            {
                if (messages.Header.Type != NLMSG_ERROR)
                {
                    if (onAnswer is not null && pending.TryFind(messages.Header.Sequence, out int asked))
                        onAnswer(asked, messages.Payload);
                    continue;
                }

                NetlinkException? failure = NetlinkAck.Failure(what, messages.Header.Flags, messages.Payload);
                if (pending.TryTake(messages.Header.Sequence, out int index) && failure is not null)
                    onFailure(index, failure);
                else if (failure is not null && pending.IsWithoutAck(messages.Header.Sequence))
                    throw failure; // the whole transaction failed: acks of the messages inside may never come
            }
        }
    }

    // False if the dump must be repeated: the kernel's tables changed during it (NLM_F_DUMP_INTR), or the kernel was still busy
    // with an abandoned dump (EBUSY). That one continues while its tail is received, and its end can only come after the refusal.
    private bool ReceiveDump(string what, uint sequence, NetlinkMessageHandler onMessage)
    {
        bool consistent = true;
        bool busy = false;
        while (true)
        {
            var messages = new NetlinkMessages(Receive(what));
            while (messages.Next())
            {
                bool isEnd = messages.Header.Type is NLMSG_DONE or NLMSG_ERROR;
                if (messages.Header.Sequence != sequence)
                {
                    if (busy && messages.Header.Type == NLMSG_DONE)
                        return false;
                    continue; // the tail of an abandoned exchange
                }

                consistent &= (messages.Header.Flags & NLM_F_DUMP_INTR) == 0;
                if (!isEnd)
                    onMessage(messages.Header.Type, messages.Payload);
                else if (NetlinkAck.Failure(what, messages.Header.Flags, messages.Payload) is not { } failure)
                    return consistent;
                else if (failure.Errno == Errno.EBUSY)
                    busy = true;
                else
                    throw failure;
            }
        }
    }

    private void Send(string what, ReadOnlySpan<byte> bytes)
    {
        sockaddr_nl kernel = new() { nl_family = Libc.AF_NETLINK };
        fixed (byte* data = bytes)
        {
            while (Libc.sendto(_handle.Fd, data, bytes.Length, 0, &kernel, (uint)sizeof(sockaddr_nl)) < 0)
            {
                if (Marshal.GetLastPInvokeError() != Errno.EINTR)
                    throw new NetlinkException(what, Marshal.GetLastPInvokeError());
            }
        }
    }

    private ReadOnlySpan<byte> Receive(string what)
    {
        while (true)
        {
            nint length = _handle.Receive(_buffer, out uint sender);
            if (length > _buffer.Length)
                throw new NetlinkException($"{what}: an answer of {length} bytes", Errno.ENOBUFS);
            if (length >= 0 && sender == 0)
                return _buffer.AsSpan(0, (int)length); // port id 0: the kernel itself
            if (length < 0 && Marshal.GetLastPInvokeError() != Errno.EINTR)
                throw new NetlinkException(what, Marshal.GetLastPInvokeError());
        }
    }
}

/// <summary>The messages of one send that the kernel has not acknowledged yet, by sequence number.</summary>
internal sealed class PendingAcks
{
    private readonly Dictionary<uint, int> _indexBySequence = [];
    private readonly HashSet<uint> _withoutAck = [];

    /// <param name="firstIndex">The number of the first message within its batch.</param>
    public PendingAcks(ReadOnlySpan<byte> sent, int firstIndex)
    {
        var messages = new NetlinkMessages(sent);
        for (int index = firstIndex; messages.Next(); index++)
        {
            if ((messages.Header.Flags & NLM_F_ACK) != 0)
                _indexBySequence.Add(messages.Header.Sequence, index);
            else
                _withoutAck.Add(messages.Header.Sequence);
        }
    }

    public int Count => _indexBySequence.Count;

    /// <summary>True for a message that asked for no ack (begin or end of a transaction): its error concerns all of it.</summary>
    public bool IsWithoutAck(uint sequence) => _withoutAck.Contains(sequence);

    public bool TryTake(uint sequence, out int index) => _indexBySequence.Remove(sequence, out index);

    public bool TryFind(uint sequence, out int index) => _indexBySequence.TryGetValue(sequence, out index);
}

/// <summary>An open netlink file descriptor and its port id.</summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class NetlinkHandle : IDisposable
{
    private const int ReceiveBufferBytes = 8 * 1024 * 1024;

    private NetlinkHandle(int fd) => Fd = fd;

    public int Fd { get; private set; }

    public uint PortId { get; private set; }

    /// <exception cref="NetlinkException">The kernel has no such protocol, or forbids the socket.</exception>
    public static NetlinkHandle Open(int protocol, bool blocking)
    {
        int type = Libc.SOCK_RAW | Libc.SOCK_CLOEXEC | (blocking ? 0 : Libc.SOCK_NONBLOCK);
        var handle = new NetlinkHandle(Check(Libc.socket(Libc.AF_NETLINK, type, protocol)));
        handle.TrySetOption(Libc.SOL_SOCKET, Libc.SO_RCVBUFFORCE, ReceiveBufferBytes);
        handle.Bind();
        return handle;
    }

    /// <summary>False if the kernel does not know the option. Each only improves what works without it.</summary>
    public bool TrySetOption<T>(int level, int option, T value) where T : unmanaged =>
        Libc.setsockopt(Fd, level, option, &value, (uint)sizeof(T)) == 0;

    /// <summary>Receives one datagram. If longer than the buffer, it was truncated. Negative: see the last P/Invoke error.</summary>
    public nint Receive(Span<byte> buffer, out uint senderPortId)
    {
        sockaddr_nl from = default;
        uint fromLength = (uint)sizeof(sockaddr_nl);
        fixed (byte* data = buffer)
        {
            nint length = Libc.recvfrom(Fd, data, buffer.Length, Libc.MSG_TRUNC, &from, &fromLength);
            senderPortId = from.nl_pid;
            return length;
        }
    }

    public void Dispose()
    {
        if (Fd >= 0)
            Libc.close(Fd);
        Fd = -1;
    }

    private void Bind()
    {
        sockaddr_nl address = new() { nl_family = Libc.AF_NETLINK };
        uint length = (uint)sizeof(sockaddr_nl);
        Check(Libc.bind(Fd, &address, length));
        Check(Libc.getsockname(Fd, &address, &length));
        PortId = address.nl_pid;
    }

    private static int Check(int result) =>
        result >= 0 ? result : throw new NetlinkException("open a netlink socket", Marshal.GetLastPInvokeError());
}
