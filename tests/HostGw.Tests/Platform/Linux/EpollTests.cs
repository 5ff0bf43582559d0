using System.ComponentModel;
using System.Runtime.Versioning;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Interop;

namespace HostGw.Tests.Platform.Linux;

[SupportedOSPlatform("linux")]
public sealed unsafe class EpollTests : IDisposable
{
    private const int Count = 18, Patience = 60_000;

    private readonly Epoll _epoll = new(Count);
    private readonly int[] _descriptors = [.. Enumerable.Range(0, Count).Select(_ => LibcDatagrams.eventfd(0, LibcDatagrams.EFD_NONBLOCK))];

    public EpollTests()
    {
        for (int number = 0; number < Count; number++)
            _epoll.Add(_descriptors[number], number);
    }

    public void Dispose()
    {
        _epoll.Dispose();
        foreach (int descriptor in _descriptors)
            _ = Libc.close(descriptor);
    }

    [Fact]
    public void Descriptors_are_ready_until_they_are_read()
    {
        Signal(3);
        Signal(17);
        _epoll.Wait(Patience);
        Assert.Equal([3, 17], Ready());
        Assert.Equal(LibcDatagrams.EPOLLIN, _epoll[3]);

        Read(3);
        _epoll.Wait(Patience);
        Assert.Equal([17], Ready());

        Read(17);
        _epoll.Wait(0);
        Assert.Equal([], Ready());
    }

    [Fact]
    public void A_wake_ends_one_wait()
    {
        _epoll.Wake();
        _epoll.Wake();
        _epoll.Wait(Patience);
        Assert.Equal([Count], Ready());
        _epoll.Wait(0);
        Assert.Equal([], Ready());
    }

    [Fact]
    public void A_descriptor_that_is_not_open_is_refused()
    {
        const int EBADF = 9;
        Assert.Equal(EBADF, Assert.Throws<Win32Exception>(() => _epoll.Add(-1, 0)).NativeErrorCode);
    }

    private int[] Ready() => [.. Enumerable.Range(0, Count + 1).Where(n => _epoll[n] != 0)];

    private void Signal(int number)
    {
        ulong one = 1;
        Assert.Equal(sizeof(ulong), LibcDatagrams.write(_descriptors[number], &one, sizeof(ulong)));
    }

    private void Read(int number)
    {
        ulong count;
        Assert.Equal(sizeof(ulong), LibcDatagrams.read(_descriptors[number], &count, sizeof(ulong)));
    }
}
