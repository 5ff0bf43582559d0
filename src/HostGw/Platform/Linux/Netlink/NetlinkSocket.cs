using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using HostGw.Platform.Linux.Interop;

namespace HostGw.Platform.Linux.Netlink;

/// <summary>One netlink socket for requests. Not thread-safe: one pass uses it at a time.</summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class NetlinkSocket : IDisposable
{
    /// <summary>Enough that the cost of a send no longer counts, few enough that all acks fit into the receive buffer.</summary>
    public const int MessagesPerSend = 100;
    private const int BytesPerSend = 64 * 1024;
    private const int DumpAttempts = 5;
    private const ushort NLMSG_ERROR = 2;
    private const ushort NLMSG_DONE = 3;
    private const ushort NLM_F_DUMP_INTR = 0x10;

    // The kernel fills dump buffers up to 32 KiB; larger ones only where one message needs it.
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly NetlinkHandle _handle;

    /// <param name="protocol">NETLINK_ROUTE (0) or NETLINK_NETFILTER (12).</param>
    /// <exception cref="NetlinkException">The kernel has no such protocol, or forbids the socket.</exception>
    public NetlinkSocket(int protocol)
    {
        _handle = NetlinkHandle.Open(protocol, blocking: true);
        // Ten seconds of silence from the kernel are an error, not a reason to hang for ever.
        _handle.TrySetOption(Libc.SOL_SOCKET, Libc.SO_RCVTIMEO, new timeval { tv_sec = 10 });
        _handle.TrySetOption(Libc.SOL_NETLINK, Libc.NETLINK_EXT_ACK, 1);
        _handle.TrySetOption(Libc.SOL_NETLINK, Libc.NETLINK_CAP_ACK, 1);
        _handle.TrySetOption(Libc.SOL_NETLINK, Libc.NETLINK_GET_STRICT_CHK, 1);
    }

    /// <summary>This socket's port id, which notifications of its own changes carry.</summary>
    public uint PortId => _handle.PortId;

    /// <summary>How many messages that change something this socket has sent since it was opened.</summary>
    public long Writes { get; private set; }

    /// <summary>The sequence number for the next message; callers give it to <see cref="NetlinkWriter.Begin"/>.</summary>
    public uint NextSequence() => ++_sequence;

    private uint _sequence;

    /// <summary>Sends the one dump request in <paramref name="request"/> and hands over every answer.</summary>
    /// <param name="restart">Called before each attempt: a dump that the kernel interrupted begins anew.</param>
    /// <exception cref="NetlinkException">The kernel refused, or stayed silent.</exception>
    public void Dump(string what, NetlinkWriter request, Action restart, NetlinkMessageHandler onMessage)
    {
        uint sequence = MemoryMarshal.Read<NetlinkHeader>(request.Written).Sequence;
        // Under a storm every dump may be interrupted. The last one then stands: the storm's own notifications cause another pass.
        for (int attempt = 1; attempt <= DumpAttempts; attempt++)
        {
            restart();
            Send(what, request.Written);
            if (ReceiveDump(what, sequence, onMessage))
                return;
        }
    }

    /// <summary>Sends all messages, many at a time, and reports each that the kernel refused. All must ask for an ack.</summary>
    /// <exception cref="NetlinkException">The exchange itself failed: nothing is known of the messages not reported.</exception>
    public void Execute(string what, NetlinkWriter batch, NetlinkFailureHandler onFailure)
    {
        for (int first = 0; first < batch.Count;)
        {
            int end = first + 1;
            while (end < batch.Count && end - first < MessagesPerSend && batch.Messages(first, end + 1).Length <= BytesPerSend)
                end++;

            ExecuteOnce(what, batch, first, end, onFailure);
            first = end;
        }
    }

    /// <summary>Sends all messages as one transaction (nfnetlink batches): they must reach the kernel in a single send.</summary>
    /// <inheritdoc cref="Execute"/>
    public void ExecuteWhole(string what, NetlinkWriter batch, NetlinkFailureHandler onFailure)
    {
        // The default send buffer takes 200 KB; what is longer is refused with EMSGSIZE.
        if (batch.Length > BytesPerSend)
            _handle.TrySetOption(Libc.SOL_SOCKET, Libc.SO_SNDBUFFORCE, batch.Length);
        ExecuteOnce(what, batch, 0, batch.Count, onFailure);
    }

    public void Dispose() => _handle.Dispose();

    private void ExecuteOnce(string what, NetlinkWriter batch, int first, int end, NetlinkFailureHandler onFailure)
    {
        ReadOnlySpan<byte> bytes = batch.Messages(first, end);
        PendingAcks pending = new(bytes, first);
        Send(what, bytes);
        Writes += end - first;

        while (pending.Count > 0)
        {
            var messages = new NetlinkMessages(Receive(what));
            while (messages.Next())
            {
                if (messages.Header.Type != NLMSG_ERROR)
                    continue;

                NetlinkException? failure = NetlinkAck.Failure(what, messages.Header.Flags, messages.Payload);
                if (pending.TryTake(messages.Header.Sequence, out int index) && failure is not null)
                    onFailure(index, failure);
                else if (failure is not null && pending.IsSilent(messages.Header.Sequence))
                    throw failure; // no ack of a message inside need come any more
            }
        }
    }

    // False when the dump must be repeated: the kernel's tables changed underneath (NLM_F_DUMP_INTR), or it was still busy
    // with a dump that was given up. That one goes on as its tail is received, and its end can only come after the refusal.
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
                    continue; // the tail of an exchange that was given up
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
