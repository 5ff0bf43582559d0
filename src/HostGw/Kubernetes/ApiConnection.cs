using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace HostGw.Kubernetes;

/// <summary>Opens connections to the API server: name, TCP, TLS. Every connection reads the certificate files again.</summary>
internal sealed class ApiConnection(ApiConfiguration configuration, TimeProvider time)
{
    /// <summary>What the request that opens a connection authenticates with.</summary>
    public static readonly HttpRequestOptionsKey<Credential> CredentialKey = new("hostgw.credential");

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
        DnsEndPoint server = context.DnsEndPoint;
        IPAddress[] configured = _configured = await ResolveAsync(server.Host, cancellationToken);
        AddressRace race = new(time);
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
        cancellationToken.ThrowIfCancellationRequested();
        throw NoConnection(server, race);
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
        string tried = race.Tried.Count == 1 ? "" : $" ({string.Join(", ", race.Tried)})";
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
