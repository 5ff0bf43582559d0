using System.Net.Sockets;

namespace HostGw.Kubernetes;

/// <summary>
/// Connects to the first of several addresses of one server that answers: each is tried when the one before it has failed or had its
/// lead (as RFC 8305, section 5). An address whose connection turns out to be useless can be excluded, and the race run again.
/// </summary>
internal sealed class AddressRace(TimeProvider time)
{
    private static readonly TimeSpan PerAddress = TimeSpan.FromSeconds(5);

    // How long an address has a lead over the next one.
    private static readonly TimeSpan Lead = TimeSpan.FromSeconds(1);

    private readonly HashSet<IPEndPoint> _excluded = [];
    private readonly HashSet<IPEndPoint> _tried = [];

    /// <summary>In their order.</summary>
    public IReadOnlyCollection<IPEndPoint> Tried => _tried;

    /// <summary>Why the first address that failed did; null as long as none has.</summary>
    public Exception? FirstFailure { get; private set; }

    /// <summary>The server did not answer on a connection to this address: it is not tried again.</summary>
    public void Exclude(IPEndPoint address, Exception reason)
    {
        _excluded.Add(address);
        FirstFailure ??= reason;
    }

    /// <summary>Null if none answers. An address is asked of <paramref name="addresses"/> when it is due, and not before.</summary>
    public async Task<OpenSocket?> ConnectAsync(IEnumerable<IPEndPoint> addresses, CancellationToken cancellationToken)
    {
        using var decided = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using IEnumerator<IPEndPoint> next = addresses.Except(_excluded).GetEnumerator();
        List<Task<OpenSocket>> running = [];
        for (bool hasNext = true; ;)
        {
            hasNext = hasNext && next.MoveNext();
            if (hasNext)
                running.Add(OpenAsync(next.Current, decided.Token));
            else if (running.Count == 0)
                return null;
            Task[] lead = hasNext ? [Task.Delay(Lead, time, decided.Token)] : [];
            if (await Task.WhenAny([.. running, .. lead]) is not Task<OpenSocket> ended)
                continue;

            running.Remove(ended);
            if (ended.IsCompletedSuccessfully)
            {
                await decided.CancelAsync();
                running.ForEach(DisposeWhenOpen);
                return await ended;
            }
            FirstFailure ??= ended.Exception?.InnerException ?? new TimeoutException("no answer");
        }
    }

    private static void DisposeWhenOpen(Task<OpenSocket> loser) => loser.ContinueWith(
        static t => t.Result.Socket.Dispose(),
        CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);

    private async Task<OpenSocket> OpenAsync(IPEndPoint address, CancellationToken cancellationToken)
    {
        _tried.Add(address);
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            Prepare(socket);
            using var timeout = new CancellationTokenSource(PerAddress, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
            await socket.ConnectAsync(address, either.Token);
            return new(socket, address);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // A peer that vanished is noticed within 25 s, while nothing is sent by keepalive, else by missing acknowledgements.
    private static void Prepare(Socket socket)
    {
        socket.NoDelay = true;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 15);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 5);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 2);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ProtocolOption)
        {
            // Windows before 1709, and Wine, have fixed times.
        }
        const int IPPROTO_TCP = 6, TCP_USER_TIMEOUT = 18;
        if (OperatingSystem.IsLinux())
            socket.SetRawSocketOption(IPPROTO_TCP, TCP_USER_TIMEOUT, BitConverter.GetBytes(25_000));
    }
}

/// <param name="Address">The peer's: the socket itself no longer knows it when the peer has reset the connection.</param>
internal sealed record OpenSocket(Socket Socket, IPEndPoint Address);
