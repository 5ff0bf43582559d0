using System.Net.Sockets;
using HostGw.Kubernetes;

namespace HostGw.Tests.Kubernetes;

public class ApiConnectionTests
{
    // What the kernel makes of these on a dead network is tcp(7)'s promise; the sum is 25 s.
    [Fact]
    public async Task The_kernel_gives_up_a_peer_that_vanished_within_30_s()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        ApiConnection connection = new(new() { Server = new($"http://{listener.LocalEndpoint}") }, TimeProvider.System);
        Socket? socket = null;
        using var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (context, cancellationToken) =>
            {
                Stream stream = await connection.ConnectAsync(context, cancellationToken);
                socket = Assert.IsType<NetworkStream>(stream).Socket;
                throw new OperationCanceledException("seen enough");
            },
        });
        await Assert.ThrowsAnyAsync<Exception>(() => http.GetAsync($"http://{listener.LocalEndpoint}", TestContext.Current.CancellationToken));

        using Socket opened = socket!;
        Assert.Equal(1, Option(SocketOptionLevel.Socket, SocketOptionName.KeepAlive));
        int time = Option(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime);
        int interval = Option(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval);
        int count = Option(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount);
        Assert.Equal(25, time + (interval * count));
        byte[] userTimeout = new byte[sizeof(int)];
        opened.GetRawSocketOption(6, 18, userTimeout); // TCP_USER_TIMEOUT
        Assert.Equal(25_000, BitConverter.ToInt32(userTimeout));

        int Option(SocketOptionLevel level, SocketOptionName name) => (int)opened.GetSocketOption(level, name)!;
    }
}
