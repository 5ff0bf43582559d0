using System.Diagnostics;
using System.Net.Sockets;
using HostGw.Lab.Network;

namespace HostGw.Benchmarks.Whole;

/// <summary>One TCP connection from a pod to another: how much it carries, and how long it takes there and back.</summary>
internal sealed class TcpPath : IDisposable
{
    private const int Port = 7009, Block = 256 * 1024;

    // The congestion window has grown by then.
    private static readonly TimeSpan WarmUp = TimeSpan.FromMilliseconds(300);

    private readonly Socket _listener, _sender, _receiver;

    private TcpPath(NetworkNamespace from, NetworkNamespace to, IPAddress address)
    {
        _listener = to.Run(() => new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        _listener.Bind(new IPEndPoint(address, Port));
        _listener.Listen();
        _sender = from.Run(() => new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true });
        _sender.Connect(address, Port);
        _receiver = _listener.Accept();
        _receiver.NoDelay = true;
    }

    /// <summary>What arrives in so long a time, in Gbit/s.</summary>
    public static double Throughput(NetworkNamespace from, NetworkNamespace to, IPAddress address, TimeSpan length)
    {
        using TcpPath path = new(from, to, address);
        Thread sending = Start(path.Send);
        byte[] block = new byte[Block];
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < WarmUp;)
            _ = path._receiver.Receive(block);
        (long at, long bytes) = (Stopwatch.GetTimestamp(), 0);
        while (Stopwatch.GetElapsedTime(at) < length)
            bytes += path._receiver.Receive(block);
        double seconds = Stopwatch.GetElapsedTime(at).TotalSeconds;
        path._receiver.Dispose();
        sending.Join();
        return bytes * 8 / seconds / 1e9;
    }

    /// <summary>The median time from sending a byte to having one back, in microseconds.</summary>
    public static double RoundTrip(NetworkNamespace from, NetworkNamespace to, IPAddress address, TimeSpan length)
    {
        using TcpPath path = new(from, to, address);
        Thread answering = Start(path.Answer);
        Span<byte> one = stackalloc byte[1];
        List<double> times = [];
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < length;)
        {
            long at = Stopwatch.GetTimestamp();
            path._sender.Send(one);
            _ = path._sender.Receive(one);
            times.Add(Stopwatch.GetElapsedTime(at).TotalMicroseconds);
        }
        path._sender.Shutdown(SocketShutdown.Send);
        answering.Join();
        return new Figures.Samples(times).Median;
    }

    public void Dispose()
    {
        _sender.Dispose();
        _receiver.Dispose();
        _listener.Dispose();
    }

    private static Thread Start(ThreadStart work)
    {
        var thread = new Thread(work) { IsBackground = true };
        thread.Start();
        return thread;
    }

    // Until the other end is closed.
    private void Send()
    {
        byte[] block = new byte[Block];
        SocketError error;
        do
            _ = _sender.Send(block, 0, Block, SocketFlags.None, out error);
        while (error == SocketError.Success);
    }

    private void Answer()
    {
        Span<byte> one = stackalloc byte[1];
        while (_receiver.Receive(one) > 0)
            _receiver.Send(one);
    }
}
