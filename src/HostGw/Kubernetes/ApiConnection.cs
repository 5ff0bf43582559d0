using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace HostGw.Kubernetes;

/// <summary>Opens connections to the API server: name, TCP, TLS. Every connection reads the certificate files again.</summary>
internal sealed class ApiConnection(ApiConfiguration configuration, TimeProvider time)
{
    /// <summary>What the request that opens a connection authenticates with.</summary>
    public static readonly HttpRequestOptionsKey<Credential> CredentialKey = new("hostgw.credential");

    private static readonly TimeSpan PerAddress = TimeSpan.FromSeconds(5);

    // How long an address has a lead over the next one.
    private static readonly TimeSpan Lead = TimeSpan.FromSeconds(1);

    private const int MaxAlternatives = 16;

    private volatile IPEndPoint[] _alternatives = [];
    private IPAddress? _remote;

    /// <summary>The address of the latest connection; null before the first.</summary>
    public IPAddress? RemoteAddress => Volatile.Read(ref _remote);

    /// <inheritdoc cref="ApiClient.UseAddresses"/>
    public void UseAddresses(IReadOnlyList<IPEndPoint> alternatives) => _alternatives = [.. alternatives.Take(MaxAlternatives)];

    /// <exception cref="ApiException">No address answers, or the server is not trusted.</exception>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        context.InitialRequestMessage.Options.TryGetValue(CredentialKey, out Credential? credential);
        Socket socket = await ConnectAnyAsync(context.DnsEndPoint, cancellationToken);
        var stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            Stream result = configuration.Server.Scheme == "https" ? await SecureAsync(stream, credential, cancellationToken) : stream;
            IPAddress address = ((IPEndPoint)socket.RemoteEndPoint!).Address;
            Volatile.Write(ref _remote, address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
            return result;
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    private async Task<Socket> ConnectAnyAsync(DnsEndPoint server, CancellationToken cancellationToken)
    {
        IPAddress[] addresses = await ResolveAsync(server.Host, cancellationToken);
        IPEndPoint[] endpoints = [.. addresses.Select(a => new IPEndPoint(a, server.Port)), .. _alternatives];
        (Socket? socket, Exception? failure) = await RaceAsync(endpoints, cancellationToken);
        if (socket is not null)
            return socket;

        cancellationToken.ThrowIfCancellationRequested();
        string reason = failure is SocketException socketFailure ? socketFailure.Message : "no answer";
        string tried = endpoints.Length == 1 ? "" : $" ({string.Join<IPEndPoint>(", ", endpoints)})";
        throw new ApiException($"Cannot connect to {server.Host}:{server.Port}{tried}: {reason}", failure);
    }

    // Each address is tried when the one before it has failed or had its lead; the first connection wins (as RFC 8305, section 5).
    private async Task<(Socket? Socket, Exception? FirstFailure)> RaceAsync(IPEndPoint[] endpoints, CancellationToken cancellationToken)
    {
        using var decided = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        List<Task<Socket>> running = [];
        Exception? failure = null;
        for (int next = 0; next < endpoints.Length || running.Count > 0;)
        {
            if (next < endpoints.Length)
                running.Add(ConnectAsync(endpoints[next++], decided.Token));
            Task? lead = next < endpoints.Length ? Task.Delay(Lead, time, decided.Token) : null;
            if (await Task.WhenAny([.. running, .. lead is null ? [] : (Task[])[lead]]) is not Task<Socket> ended)
                continue;

            running.Remove(ended);
            if (ended.IsCompletedSuccessfully)
            {
                await decided.CancelAsync();
                running.ForEach(DisposeWhenOpen);
                return (await ended, null);
            }
            failure ??= ended.Exception?.InnerException ?? new TimeoutException();
        }
        return (null, failure);
    }

    private static void DisposeWhenOpen(Task<Socket> loser) => loser.ContinueWith(
        static t => t.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);

    private async Task<Socket> ConnectAsync(IPEndPoint endpoint, CancellationToken cancellationToken)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            Prepare(socket);
            using var timeout = new CancellationTokenSource(PerAddress, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
            await socket.ConnectAsync(endpoint, either.Token);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
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

    private async Task<SslStream> SecureAsync(Stream stream, Credential? credential, CancellationToken cancellationToken)
    {
        using var trust = new ServerTrust(configuration);
        var secure = new SslStream(stream);
        try
        {
            await secure.AuthenticateAsClientAsync(trust.Options(credential), cancellationToken);
            return secure;
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            await secure.DisposeAsync();
            string reason = trust.Refusal ?? (e.InnerException ?? e).Message;
            throw new ApiException($"No TLS connection to {configuration.Server.Authority}: {reason}", e);
        }
    }
}
