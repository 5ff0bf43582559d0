using System.Net.Sockets;
using System.Text;
using HostGw.Reconciliation;
using HostGw.Status;
using HostGw.Tests.Hosting;
using HostGw.Tests.Planning;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Status;

/// <summary>The status server on a free port of loopback, and clients that speak to it byte by byte.</summary>
internal sealed class RunningServer : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly IPAddress _listen;
    private StatusServer _server;

    /// <param name="listen">Null: loopback.</param>
    public RunningServer(IPAddress? listen = null)
    {
        _listen = listen ?? IPAddress.Loopback;
        _server = NewServer();
    }

    public IPEndPoint EndPoint { get; } = new(IPAddress.Loopback, FreePort());

    public StatusBoard Board => field ??= new(Clock);

    public PassClock Clock => field ??= new(Time, TimeSpan.FromSeconds(60));

    public ManualTime Time { get; } = new();

    /// <summary>What asking for the API server's state throws; null: nothing.</summary>
    public Exception? ApiFailure { get; set; }

    public LogLines Log { get; } = new();

    /// <summary>Why the API server cannot be followed; null while it can.</summary>
    public string? ApiProblem { get; set; }

    public ProbeStatus Probes { get; set; } = ProbeStatus.Off;

    public Task StartAsync() => _server.StartAsync(TestContext.Current.CancellationToken);

    public Task StopAsync() => _server.StopAsync(TestContext.Current.CancellationToken);

    public async Task RestartAsync()
    {
        await StopAsync();
        _server.Dispose();
        _server = NewServer();
        await StartAsync();
    }

    public Task<string> GetAsync(string path) => AskAsync($"GET {path} HTTP/1.1\r\nHost: {EndPoint}\r\n\r\n");

    /// <summary>Sends it all, then reads to the end.</summary>
    public async Task<string> AskAsync(string request)
    {
        using Socket client = await ConnectAsync();
        await client.SendAsync(Encoding.Latin1.GetBytes(request), SocketFlags.None, TestContext.Current.CancellationToken);
        return await ReadAsync(client);
    }

    /// <summary>Connects, however long the server takes to listen.</summary>
    public async Task<Socket> ConnectAsync()
    {
        using var deadline = new CancellationTokenSource(Deadline);
        while (true)
        {
            var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await client.ConnectAsync(EndPoint, deadline.Token);
                return client;
            }
            catch (SocketException) when (!deadline.IsCancellationRequested)
            {
                client.Dispose();
                await Task.Yield();
            }
        }
    }

    /// <summary>Everything that arrives before the other side ends the connection.</summary>
    public static async Task<string> ReadAsync(Socket client)
    {
        using var deadline = new CancellationTokenSource(Deadline);
        using var received = new MemoryStream();
        byte[] buffer = new byte[4096];
        int read;
        while ((read = await client.ReceiveAsync(buffer, SocketFlags.None, deadline.Token)) > 0)
            received.Write(buffer, 0, read);
        return Encoding.UTF8.GetString(received.ToArray());
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _server.Dispose();
    }

    private StatusServer NewServer()
    {
        StatusPages pages = new(
            Board, "0.1.0+abc", "self", () => ApiFailure is null ? new(ApiProblem) : throw ApiFailure, () => Probes, Time);
        return new(new(_listen, EndPoint.Port), pages.Get, Time, new Typed<StatusServer>(Log));
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
