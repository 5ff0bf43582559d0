using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace HostGw.Status;

/// <summary>Serves health, readiness, metrics and status over HTTP. Accepts no writes.</summary>
internal sealed class StatusServer(IPEndPoint listen, StatusPages pages, TimeProvider time, ILogger<StatusServer> logger) : BackgroundService
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        bool said = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ServeAsync(stoppingToken);
            }
            catch (Exception e) when (e is HttpListenerException or SocketException && !stoppingToken.IsCancellationRequested)
            {
                if (!said)
                    logger.StatusUnavailable(listen.ToString(), e.Message);
                said = true;
                await Task.Delay(Retry, time, stoppingToken);
            }
        }
    }

    private async Task ServeAsync(CancellationToken stoppingToken)
    {
        using var listener = new HttpListener();
        foreach (string prefix in Prefixes(listen))
            listener.Prefixes.Add(prefix);
        listener.Start();
        using CancellationTokenRegistration stop = stoppingToken.Register(listener.Stop);
        while (!stoppingToken.IsCancellationRequested)
        {
            HttpListenerContext context;
            try
            {
                context = await listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException && stoppingToken.IsCancellationRequested)
            {
                return;
            }
            await AnswerAsync(context, stoppingToken);
        }
    }

    private async Task AnswerAsync(HttpListenerContext context, CancellationToken cancellationToken)
    {
        (int status, string contentType, ReadOnlyMemory<byte> body) = pages.Get(context.Request.HttpMethod, context.Request.Url?.AbsolutePath ?? "/");
        try
        {
            context.Response.StatusCode = status;
            context.Response.ContentType = contentType;
            context.Response.ContentLength64 = body.Length;
            if (context.Request.HttpMethod != "HEAD")
                await context.Response.OutputStream.WriteAsync(body, cancellationToken);
            context.Response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or IOException or ObjectDisposedException)
        {
            context.Response.Abort(); // whoever asked is gone
        }
    }

    // A name besides the address, and nothing else: a page in a browser cannot reach us under a name of its own.
    private static IEnumerable<string> Prefixes(IPEndPoint listen)
    {
        if (listen.Address.Equals(IPAddress.Any) || listen.Address.Equals(IPAddress.IPv6Any))
            return [$"http://*:{listen.Port}/"];
        string address = $"http://{listen}/";
        return IPAddress.IsLoopback(listen.Address) ? [address, $"http://localhost:{listen.Port}/"] : [address];
    }
}
