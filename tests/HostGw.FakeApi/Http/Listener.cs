using System.Buffers;
using System.Collections.Concurrent;
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

    private WebApplication? _app;

    /// <summary>With the ports that were picked, once started.</summary>
    public IReadOnlyList<IPEndPoint> Endpoints { get; private set; } = options.Listen;

    public async Task StartAsync()
    {
        if (_app is not null)
            return;
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(Configure);
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>, RecordBlocks>();
        if (options.Bind is { } bind)
            builder.Services.Configure<SocketTransportOptions>(transport => transport.CreateBoundListenSocket = bind);
        WebApplication app = builder.Build();
        app.Run(pipeline);
        await app.StartAsync();
        _app = app;
        ICollection<string> bound = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        Endpoints = [.. Endpoints.Zip(bound, (asked, url) => new IPEndPoint(asked.Address, new Uri(url).Port))];
    }

    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _app, null) is not { } app)
            return;
        connections.Cut();
        await app.StopAsync(AtOnce);
        await app.DisposeAsync();
    }

    public async ValueTask DisposeAsync() => await StopAsync();

    private void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = null; // the write endpoint has its own, which does not break the connection
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.Http2.MaxStreamsPerConnection = 250;
        foreach (IPEndPoint endpoint in Endpoints)
            kestrel.Listen(endpoint, Configure);
    }

    private void Configure(ListenOptions listen)
    {
        listen.Protocols = HttpProtocols.Http1AndHttp2;
        listen.Use(next => connection => connections.HandleAsync(connection, next));
        listen.UseHttps(new HttpsConnectionAdapterOptions
        {
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
    private readonly ConcurrentDictionary<string, ConnectionContext> _open = new(StringComparer.Ordinal);

    public int Count => _open.Count;

    public async Task HandleAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        _open[connection.ConnectionId] = connection;
        try
        {
            while (faults.HangConnections)
                await Task.Delay(20, connection.ConnectionClosed);
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
        {
            ResetOnClose(connection);
            connection.Abort();
        }
    }

    private static void ResetOnClose(ConnectionContext connection)
    {
        try
        {
            if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket)
                socket.LingerState = new(true, 0);
        }
        catch (ObjectDisposedException)
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
