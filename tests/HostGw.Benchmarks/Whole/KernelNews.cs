using System.Diagnostics;
using System.Runtime.InteropServices;
using HostGw.Lab.Network;
using HostGw.Platform.Linux.Interop;
using HostGw.Platform.Linux.Netlink;

namespace HostGw.Benchmarks.Whole;

/// <summary>Whether a message of the kernel is the one waited for.</summary>
internal delegate bool NewsFilter(ushort type, ReadOnlySpan<byte> payload);

/// <summary>The kernel's announcements in a namespace, heard independently of any agent, with the moment of each.</summary>
internal sealed class KernelNews : IDisposable
{
    private readonly NetlinkHandle _socket;
    private readonly Thread _thread;
    private readonly Lock _lock = new();
    private readonly List<Waiter> _waiters = [];
    private volatile bool _ended;

    /// <param name="protocol">NETLINK_ROUTE or NETLINK_NETFILTER.</param>
    /// <param name="groups">RTNLGRP_* or NFNLGRP_*.</param>
    public KernelNews(NetworkNamespace network, int protocol, params int[] groups)
    {
        _socket = network.Run(() => NetlinkHandle.Open(protocol, blocking: true));
        foreach (int group in groups)
            _socket.TrySetOption(Libc.SOL_NETLINK, Libc.NETLINK_ADD_MEMBERSHIP, group);
        _socket.TrySetOption(Libc.SOL_SOCKET, Libc.SO_RCVTIMEO, new timeval { tv_usec = 100_000 });
        _thread = new(Listen) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>The moment, as a Stopwatch timestamp, at which the awaited message has come for the last of so many times.</summary>
    public Task<long> NextAsync(NewsFilter filter, int times = 1)
    {
        var waiter = new Waiter(filter, times);
        lock (_lock)
            _waiters.Add(waiter);
        return waiter.Moment.Task;
    }

    public void Dispose()
    {
        _ended = true;
        _thread.Join();
        _socket.Dispose();
    }

    private void Listen()
    {
        byte[] buffer = new byte[64 * 1024];
        while (!_ended)
        {
            int length = (int)_socket.Receive(buffer, out _);
            int error = length < 0 ? Marshal.GetLastPInvokeError() : 0;
            long at = Stopwatch.GetTimestamp();
            lock (_lock)
            {
                if (error == Errno.ENOBUFS)
                    _waiters.ForEach(waiter => waiter.Moment.TrySetException(new InvalidOperationException("announcements were lost: nothing can be said")));
                else if (length > 0)
                    Offer(new(buffer.AsSpan(0, length)), at);
                _waiters.RemoveAll(waiter => waiter.Moment.Task.IsCompleted);
            }
        }
    }

    private void Offer(NetlinkMessages messages, long at)
    {
        while (messages.Next())
        {
            foreach (Waiter waiter in _waiters)
                waiter.Take(messages.Header.Type, messages.Payload, at);
        }
    }

    private sealed class Waiter(NewsFilter filter, int times)
    {
        private int _left = times;

        public TaskCompletionSource<long> Moment { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Take(ushort type, ReadOnlySpan<byte> payload, long at)
        {
            if (_left > 0 && filter(type, payload) && --_left == 0)
                Moment.TrySetResult(at);
        }
    }
}
