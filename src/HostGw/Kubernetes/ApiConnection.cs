using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace HostGw.Kubernetes;

/// <summary>Opens connections to the API server: name, TCP, TLS. Every connection reads the credentials anew, so rotation needs no restart.</summary>
internal sealed class ApiConnection(ApiConfiguration configuration)
{
    private static readonly TimeSpan PerAddress = TimeSpan.FromSeconds(5);

    private IPAddress? _remote;

    /// <summary>The address of the latest connection; null before the first.</summary>
    public IPAddress? RemoteAddress => Volatile.Read(ref _remote);

    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        Socket socket = await ConnectAnyAsync(context.DnsEndPoint, cancellationToken);
        var stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            Stream result = configuration.Server.Scheme == "https" ? await SecureAsync(stream, context.InitialRequestMessage.Version, cancellationToken) : stream;
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

    // Address by address: one that swallows packets must not use up the time of the others.
    private static async Task<Socket> ConnectAnyAsync(DnsEndPoint server, CancellationToken cancellationToken)
    {
        IPAddress[] addresses = await ResolveAsync(server.Host, cancellationToken);
        Exception? failure = null;
        foreach (IPAddress address in addresses)
        {
            Socket? socket = null;
            try
            {
                socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                Prepare(socket);
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                limit.CancelAfter(PerAddress);
                await socket.ConnectAsync(address, server.Port, limit.Token);
                return socket;
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                socket?.Dispose();
                cancellationToken.ThrowIfCancellationRequested();
                failure = e;
            }
        }
        string reason = failure is SocketException socketFailure ? socketFailure.Message : "no answer";
        string tried = IPAddress.TryParse(server.Host, out _) ? "" : $" ({string.Join<IPAddress>(", ", addresses)})";
        throw new ApiException($"Cannot connect to {server.Host}:{server.Port}{tried}: {reason}", failure);
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

    // HTTP/2 has its pings; these notice a dead HTTP/1.1 connection, also within 30 s.
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
            // Windows before 1709, and Wine, have times of their own.
        }
    }

    private async Task<SslStream> SecureAsync(Stream stream, Version version, CancellationToken cancellationToken)
    {
        using var trust = new ServerTrust(configuration);
        var secure = new SslStream(stream);
        try
        {
            await secure.AuthenticateAsClientAsync(trust.Options(version), cancellationToken);
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
