using System.Buffers;
using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;

namespace HostGw.FakeApi.Http;

/// <summary>The listening sockets: opened and closed at will, always on the same ports.</summary>
internal sealed class Listener(FakeApiOptions options, Func<X509Certificate2> certificate, Connections connections, RequestDelegate pipeline)
    : IAsyncDisposable
{
    private static readonly CancellationToken AtOnce = new(canceled: true);

    // Thousands of clients may come at once; as many as net.core.somaxconn allows.
    private const int Backlog = 4096;

    // Only a defect takes so long.
    private static readonly TimeSpan UntilConnectionsEnd = TimeSpan.FromMinutes(1);

    private readonly ConcurrentBag<Socket> _listening = [];
    private WebApplication? _app;

    /// <summary>With the ports that were picked, once started.</summary>
    public IReadOnlyList<IPEndPoint> Endpoints { get; private set; } = options.Listen;

    /// <inheritdoc cref="Endpoints"/>
    public IReadOnlyList<IPEndPoint> PlainEndpoints { get; private set; } = options.PlainListen;

    public async Task StartAsync()
    {
        if (_app is not null)
            return;
        _listening.Clear();
        connections.Accept();
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(Configure);
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>, RecordBlocks>();
        builder.Services.Configure<SocketTransportOptions>(transport =>
        {
            transport.CreateBoundListenSocket = Bind;
            transport.Backlog = Backlog;
        });
        WebApplication app = builder.Build();
        app.Run(pipeline);
        await app.StartAsync();
        _app = app;
        ICollection<string> bound = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        Endpoints = Bound(Endpoints, bound);
        PlainEndpoints = Bound(PlainEndpoints, bound.Skip(Endpoints.Count));
    }

    /// <param name="reset">Connections end with a reset; otherwise with a FIN.</param>
    public async Task StopAsync(bool reset = true)
    {
        if (Interlocked.Exchange(ref _app, null) is not { } app)
            return;
        if (reset)
        {
            connections.Cut();
            await app.StopAsync(AtOnce);
        }
        else
        {
            // Kestrel stops listening, and then waits for the watches to end.
            using var limit = new CancellationTokenSource(UntilConnectionsEnd);
            Task stopped = app.StopAsync(limit.Token);
            while (!stopped.IsCompleted && _listening.Any(s => !s.SafeHandle.IsClosed))
                await Task.Delay(1);
            connections.Close();
            await stopped;
        }
        await app.DisposeAsync();
    }

    public async ValueTask DisposeAsync() => await StopAsync();

    private static IReadOnlyList<IPEndPoint> Bound(IReadOnlyList<IPEndPoint> asked, IEnumerable<string> urls) =>
        [.. asked.Zip(urls, (endpoint, url) => new IPEndPoint(endpoint.Address, new Uri(url).Port))];

    private Socket Bind(EndPoint endpoint)
    {
        Socket socket = (options.Bind ?? SocketTransportOptions.CreateDefaultBoundListenSocket)(endpoint);
        _listening.Add(socket);
        return socket;
    }

    private void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = options.MostConnections;
        kestrel.Limits.MaxRequestBodySize = null; // the write endpoint has its own, which does not break the connection
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromMinutes(10);
        kestrel.Limits.Http2.MaxStreamsPerConnection = 250;
        foreach (IPEndPoint endpoint in Endpoints)
            kestrel.Listen(endpoint, Configure);
        foreach (IPEndPoint endpoint in PlainEndpoints)
            kestrel.Listen(endpoint, ConfigurePlain);
    }

    private void ConfigurePlain(ListenOptions listen)
    {
        listen.Protocols = HttpProtocols.Http1;
        listen.Use(next => connection => connections.HandleAsync(connection, next));
    }

    private void Configure(ListenOptions listen)
    {
        listen.Protocols = HttpProtocols.Http1AndHttp2;
        listen.Use(next => connection => connections.HandleAsync(connection, next));
        listen.UseHttps(new HttpsConnectionAdapterOptions
        {
            // Ten seconds are too short on a machine that does much else.
            HandshakeTimeout = TimeSpan.FromMinutes(1),
            ServerCertificateSelector = (_, _) => certificate(),
            ClientCertificateMode = ClientCertificateMode.AllowCertificate,
            // Who the client is, is decided per request: a bad certificate is 401, as in the real server.
            ClientCertificateValidation = (_, _, _) => true,
        });
    }
}

/// <summary>Every open TCP connection, below TLS.</summary>
internal sealed class Connections(Faults faults)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    private readonly ConcurrentDictionary<string, ConnectionContext> _open = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<IPAddress, Unreachable> _unreachable = [];
    private volatile bool _isClosing;

    public int Count => _open.Count;

    public async Task HandleAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        _open[connection.ConnectionId] = connection;
        if (_isClosing)
            End(connection);
        try
        {
            while (faults.HangConnections || HowUnreachable(connection) == Unreachable.Silent)
                await Task.Delay(Poll, connection.ConnectionClosed);
            if (HowUnreachable(connection) == Unreachable.Reset)
                Reset(connection);
            else
                await next(connection);
        }
        catch (OperationCanceledException) when (connection.ConnectionClosed.IsCancellationRequested)
        {
            // Cut while it hung.
        }
        finally
        {
            _open.TryRemove(connection.ConnectionId, out _);
        }
    }

    /// <summary>Resets all of them: the peer sees ECONNRESET, not an orderly end.</summary>
    public void Cut()
    {
        foreach (ConnectionContext connection in _open.Values)
            Reset(connection);
    }

    /// <summary>Ends all of them with a FIN, in the middle of a chunk: what a client sees of a process that ends.</summary>
    public void Close()
    {
        _isClosing = true;
        foreach (ConnectionContext connection in _open.Values)
            End(connection);
    }

    /// <summary>Connections are no longer ended as they come.</summary>
    public void Accept() => _isClosing = false;

    /// <param name="how">Null: reachable again.</param>
    public void SetReachability(IPAddress address, Unreachable? how)
    {
        if (how is null)
        {
            _unreachable.TryRemove(address, out _);
            return;
        }
        _unreachable[address] = how.Value;
        foreach (ConnectionContext connection in _open.Values.Where(c => LocalAddress(c).Equals(address)))
            Reset(connection);
    }

    private Unreachable? HowUnreachable(ConnectionContext connection) =>
        _unreachable.TryGetValue(LocalAddress(connection), out Unreachable how) ? how : null;

    private static IPAddress LocalAddress(ConnectionContext connection)
    {
        IPAddress address = (connection.LocalEndPoint as IPEndPoint)?.Address ?? IPAddress.None;
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }

    // Kestrel's own abort sends a reset.
    private static void End(ConnectionContext connection) => OnSocket(connection, socket => socket.Shutdown(SocketShutdown.Both));

    private static void Reset(ConnectionContext connection)
    {
        OnSocket(connection, socket => socket.LingerState = new(true, 0));
        connection.Abort();
    }

    private static void OnSocket(ConnectionContext connection, Action<Socket> act)
    {
        try
        {
            if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket)
                act(socket);
        }
        catch (Exception gone) when (gone is ObjectDisposedException or SocketException)
        {
            // The peer was faster.
        }
    }
}

/// <summary>Blocks that hold a whole HTTP/2 frame, so that it leaves in one TLS record as from Go's server; Kestrel's own make four of it.</summary>
internal sealed class RecordBlocks : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    private const int Size = 32 * 1024;

    public override int MaxBufferSize => Shared.MaxBufferSize;

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1) => Shared.Rent(Math.Max(Size, minBufferSize));

    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => new RecordBlocks();

    protected override void Dispose(bool disposing)
    {
    }
}
