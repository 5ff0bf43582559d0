using System.Net.Sockets;
using HostGw.FakeApi;

namespace HostGw.Tests.Nodes;

/// <summary>The connection stays up and carries nothing, as when a load balancer loses its server: TCP keepalive does not notice.</summary>
[Trait("Speed", "slow")]
public class SilentConnectionTests
{
    [Fact]
    public async Task A_connection_gone_silent_is_noticed_and_replaced()
    {
        await using FakeApiServer api = await FakeApiServer.StartAsync();
        api.Nodes.Put(new NodeSpec("a"));
        using var relay = new Relay(api.Uri.Port);
        // The silence of 150 s is short; that of a list, which a slow machine needs, is not.
        var time = new FastTime(50, TimeSpan.FromSeconds(200), from: TimeSpan.FromSeconds(100));
        await using var follower = new NodeFollower(api, relay.Port, time);
        await EventuallyAsync(() => follower.Names == "a" && api.OpenWatches == 1, "it follows");

        relay.SilenceOpenConnections();
        api.Nodes.Put(new NodeSpec("b"));
        await EventuallyAsync(() => follower.Names == "a b", "it follows again");
        Assert.Single(api.Requests, r => r.IsStreamingList);
        Assert.Contains(api.Requests, FollowingTest.IsTimelineCheck);
    }

    private static async Task EventuallyAsync(Func<bool> holds, string what)
    {
        for (int i = 0; i < 6000 && !holds(); i++)
            await Task.Delay(20, TestContext.Current.CancellationToken);
        Assert.True(holds(), what);
    }

    /// <summary>Carries connections to a port, until it falls silent on those that are open: nothing is carried any more, nothing is closed.</summary>
    private sealed class Relay : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly List<Socket> _sockets = [];
        private CancellationTokenSource _flowing = new();

        public Relay(int target)
        {
            _listener.Start();
            _ = ServeAsync(target);
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public void SilenceOpenConnections() => Interlocked.Exchange(ref _flowing, new()).Cancel();

        public void Dispose()
        {
            _listener.Dispose();
            _flowing.Cancel();
            lock (_sockets)
                _sockets.ForEach(s => s.Dispose());
        }

        private async Task ServeAsync(int target)
        {
            while (true)
            {
                Socket near = await _listener.AcceptSocketAsync();
                var far = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await far.ConnectAsync(IPAddress.Loopback, target);
                lock (_sockets)
                    _sockets.AddRange([near, far]);
                _ = CopyAsync(near, far, _flowing.Token);
                _ = CopyAsync(far, near, _flowing.Token);
            }
        }

        private static async Task CopyAsync(Socket from, Socket to, CancellationToken flowing)
        {
            byte[] buffer = new byte[64 * 1024];
            int read;
            while ((read = await from.ReceiveAsync(buffer, flowing)) > 0)
                await to.SendAsync(buffer.AsMemory(0, read), flowing);
            to.Shutdown(SocketShutdown.Send);
        }
    }
}
