using System.Net.Sockets;
using HostGw.Lab.Network;

namespace HostGw.Lab.Probes;

/// <summary>One long TCP connection on which bytes that tell their place go one way until stopped.</summary>
public sealed class TcpTransfer : IDisposable
{
    private const int Port = 7008;

    // No power of two: a lost or repeated block shows.
    private const int Period = 251;

    private readonly Socket _listener;
    private readonly Socket _sender;
    private readonly Socket _receiver;
    private readonly Task<long> _sending;
    private readonly Task<long> _receiving;
    private volatile bool _stop;
    private long _received;

    private TcpTransfer(NetworkNamespace from, NetworkNamespace to, IPAddress address)
    {
        _listener = to.Run(() => new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        _listener.Bind(new IPEndPoint(address, Port));
        _listener.Listen();
        _sender = from.Run(() => new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        _sender.Connect(address, Port);
        _receiver = _listener.Accept();
        _sending = Task.Factory.StartNew(Send, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        _receiving = Task.Factory.StartNew(Receive, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Bytes that have arrived so far.</summary>
    public long Received => Interlocked.Read(ref _received);

    /// <exception cref="SocketException">No connection.</exception>
    public static TcpTransfer Start(NetworkNamespace from, NetworkNamespace to, IPAddress address) => new(from, to, address);

    /// <summary>Ends it in good order and returns how many bytes were sent and how many arrived, each in its place.</summary>
    /// <exception cref="SocketException">The connection broke.</exception>
    /// <exception cref="InvalidDataException">A byte arrived in the wrong place.</exception>
    public async Task<(long Sent, long Arrived)> StopAsync()
    {
        _stop = true;
        return (await _sending, await _receiving);
    }

    public void Dispose()
    {
        _stop = true;
        _sender.Dispose();
        _receiver.Dispose();
        _listener.Dispose();
    }

    private long Send()
    {
        byte[] pattern = [.. Enumerable.Range(0, 64 * Period).Select(i => (byte)(i % Period))];
        long sent = 0;
        while (!_stop)
        {
            sent += _sender.Send(pattern.AsSpan((int)(sent % Period)));
            // Enough to be under way at every moment, and no more than two cores bear.
            Thread.Sleep(1);
        }
        _sender.Shutdown(SocketShutdown.Send);
        return sent;
    }

    private long Receive()
    {
        byte[] buffer = new byte[64 * 1024];
        long at = 0;
        while (_receiver.Receive(buffer) is > 0 and int length)
        {
            for (int i = 0; i < length; i++)
            {
                if (buffer[i] != (byte)((at + i) % Period))
                    throw new InvalidDataException($"byte {at + i} is wrong");
            }
            at += length;
            Interlocked.Exchange(ref _received, at);
        }
        return at;
    }
}
