using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace HostGw.Kubernetes;

/// <summary>Opens connections to the API server: name, TCP, TLS. Every connection reads the certificate files again.</summary>
internal sealed class ApiConnection(ApiConfiguration configuration, TimeProvider time)
{
    /// <summary>What the request that opens a connection authenticates with.</summary>
    public static readonly HttpRequestOptionsKey<Credential> CredentialKey = new("hostgw.credential");

    // Of all addresses together.
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(20);

    // As client-go's TLSHandshakeTimeout.
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(10);

    private volatile Func<IReadOnlyList<IPEndPoint>> _alternatives = static () => [];
    private volatile IPAddress[] _configured = IPAddress.TryParse(configuration.Server.IdnHost, out IPAddress? literal) ? [literal] : [];
    private IPAddress? _remote;

    /// <summary>The address of the latest connection; null before the first.</summary>
    public IPAddress? RemoteAddress => Volatile.Read(ref _remote);

    /// <inheritdoc cref="ApiClient.ConfiguredAddresses"/>
    public IReadOnlyList<IPAddress> ConfiguredAddresses => _configured;

    /// <inheritdoc cref="ApiClient.UseAddresses"/>
    public void UseAddresses(Func<IReadOnlyList<IPEndPoint>> alternatives) => _alternatives = alternatives;

    /// <exception cref="ApiException">No address answers, or the server is not trusted.</exception>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        context.InitialRequestMessage.Options.TryGetValue(CredentialKey, out Credential? credential);
        AddressRace race = new(time);
        using var timeout = new CancellationTokenSource(ConnectTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            if (await ConnectAsync(context.DnsEndPoint, credential, race, either.Token) is { } stream)
                return stream;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The time is over.
        }
        cancellationToken.ThrowIfCancellationRequested();
        throw NoConnection(context.DnsEndPoint, race);
    }

    // Null: no address answers.
    private async Task<Stream?> ConnectAsync(
        DnsEndPoint server, Credential? credential, AddressRace race, CancellationToken cancellationToken)
    {
        IPAddress[] configured = _configured = await ResolveAsync(server.Host, cancellationToken);
        while (await race.ConnectAsync(Addresses(configured, server.Port), cancellationToken) is { } open)
        {
            try
            {
                Stream stream = await SecureAsync(new(open.Socket, ownsSocket: true), credential, cancellationToken);
                IPAddress address = open.Address.Address;
                Volatile.Write(ref _remote, address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
                return stream;
            }
            catch (NoHandshakeException e)
            {
                race.Exclude(open.Address, e);
            }
        }
        return null;
    }

    private IEnumerable<IPEndPoint> Addresses(IPAddress[] configured, int port)
    {
        foreach (IPAddress address in configured)
            yield return new(address, port);
        foreach (IPEndPoint alternative in _alternatives())
            yield return alternative;
    }

    private static ApiException NoConnection(DnsEndPoint server, AddressRace race)
    {
        string tried = race.Tried.Count <= 1 ? "" : $" ({string.Join(", ", race.Tried)})";
        string reason = race.FirstFailure switch
        {
            SocketException or NoHandshakeException => race.FirstFailure.Message,
            _ => "no answer",
        };
        string what = race.FirstFailure is NoHandshakeException ? "No TLS connection" : "Cannot connect";
        return new($"{what} to {server.Host}:{server.Port}{tried}: {reason}", race.FirstFailure);
    }

    private static async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out IPAddress? literal))
            return [literal];
        try
        {
            return await Dns.GetHostAddressesAsync(host, cancellationToken);
        }
        catch (SocketException e)
        {
            throw new ApiException($"Cannot resolve {host}: {e.Message}. Give the API server by address (--api-server)", e);
        }
    }

    /// <exception cref="ApiException">The server is not trusted, or does not trust us. Another address would change nothing.</exception>
    /// <exception cref="NoHandshakeException">The connection carries no answer.</exception>
    private async Task<Stream> SecureAsync(NetworkStream stream, Credential? credential, CancellationToken cancellationToken)
    {
        if (configuration.Server.Scheme != "https")
            return stream;
        SslStream? secure = null;
        try
        {
            secure = new SslStream(stream);
            using var trust = new ServerTrust(configuration);
            await ShakeHandsAsync(secure, trust, credential, cancellationToken);
            return secure;
        }
        catch
        {
            await (secure ?? (Stream)stream).DisposeAsync();
            throw;
        }
    }

    private async Task ShakeHandsAsync(SslStream secure, ServerTrust trust, Credential? credential, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(HandshakeTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await secure.AuthenticateAsClientAsync(trust.Options(credential), either.Token);
        }
        // Where the peer is gone before it hears that its certificate is refused, that is an IOException.
        catch (Exception e) when (e is AuthenticationException || (e is IOException && trust.Refusal is not null))
        {
            string reason = trust.Refusal ?? (e.InnerException ?? e).Message;
            throw new ApiException($"No TLS connection to {configuration.Server.Authority}: {reason}", e);
        }
        catch (IOException e)
        {
            throw new NoHandshakeException((e.InnerException ?? e).Message, e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new NoHandshakeException($"no answer within {HandshakeTimeout.TotalSeconds:0} s", e);
        }
    }

    private sealed class NoHandshakeException(string message, Exception inner) : Exception(message, inner);
}

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
