using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using HostGw.Platform.Linux.Interop;

namespace HostGw.Platform.Linux;

/// <summary>
/// Waits for any of several descriptors: epoll(7), which costs as much as is received; poll(2) costs as much as it is asked about. One
/// thread waits; <see cref="Wake"/> may be called by any.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed unsafe class Epoll : IDisposable
{
    // struct epoll_event: 32 bits of events and 64 of ours, which x86-64 alone packs.
    private static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int NumberAt = EventSize - sizeof(long);

    private readonly int _epoll = Succeeded(LibcDatagrams.epoll_create1(LibcDatagrams.EPOLL_CLOEXEC));
    private readonly int _wake = Succeeded(LibcDatagrams.eventfd(0, LibcDatagrams.EFD_CLOEXEC | LibcDatagrams.EFD_NONBLOCK));
    private readonly byte[] _events;
    private readonly uint[] _ready;

    /// <param name="count">How many descriptors are added at most.</param>
    public Epoll(int count)
    {
        (_events, _ready) = (new byte[(count + 1) * EventSize], new uint[count + 1]);
        Add(_wake, count);
    }

    /// <summary>What the latest wait found of a number: <see cref="LibcDatagrams.EPOLLIN"/> and others; 0: nothing.</summary>
    public uint this[int number] => _ready[number];

    /// <summary>Waits for that descriptor, too, until it is closed.</summary>
    /// <param name="number">By which it is found: below the count of all.</param>
    public void Add(int fd, int number)
    {
        Span<byte> added = stackalloc byte[EventSize];
        added.Clear();
        MemoryMarshal.Write(added, LibcDatagrams.EPOLLIN);
        MemoryMarshal.Write(added[NumberAt..], (long)number);
        fixed (byte* first = added)
            _ = Succeeded(LibcDatagrams.epoll_ctl(_epoll, LibcDatagrams.EPOLL_CTL_ADD, fd, first));
    }

    /// <summary>Waits until something is received, <see cref="Wake"/> is called or the time is over; negative: it never is.</summary>
    public void Wait(int milliseconds)
    {
        Array.Clear(_ready);
        int count;
        fixed (byte* first = _events)
            count = LibcDatagrams.epoll_wait(_epoll, first, _ready.Length, milliseconds);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> found = _events.AsSpan(i * EventSize, EventSize);
            _ready[MemoryMarshal.Read<long>(found[NumberAt..])] = MemoryMarshal.Read<uint>(found);
        }
        ulong calls;
        if (_ready[^1] != 0)
            _ = LibcDatagrams.read(_wake, &calls, sizeof(ulong));
    }

    /// <summary>Ends the wait, or the next one.</summary>
    public void Wake()
    {
        ulong one = 1;
        _ = LibcDatagrams.write(_wake, &one, sizeof(ulong));
    }

    public void Dispose()
    {
        _ = Libc.close(_epoll);
        _ = Libc.close(_wake);
    }

    private static int Succeeded(int result) => result >= 0 ? result : throw new Win32Exception(Marshal.GetLastPInvokeError());
}
