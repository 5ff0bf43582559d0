using System.Runtime.Versioning;
using System.Threading.Channels;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Windows;

namespace HostGw.Windows.Tests.OnWindows;

/// <summary>What Windows announces, as the agent hears it.</summary>
[SupportedOSPlatform("windows")]
public sealed class NotificationTests(Verification run) : Asking(run)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly Prefix Destination = Prefix.Parse("198.51.100.0/24");

    [Fact]
    public Task Routes() => AskAsync(Question.WatchRoutes, async () =>
    {
        HostInterface loopback = Machine.Loopback;
        OwnedRoute route = new(Destination, default, loopback.Luid);
        using Heard heard = new(new PodRoute(Destination, 300, default, loopback.Index));
        Made.Route(route, 300);
        await heard.AwaitAsync(WakeCauses.Routes, "a route was created");
        NetIo.SetMetric(route, 301);
        await heard.AwaitAsync(WakeCauses.Routes, "its metric changed");
        NetIo.DeleteRoute(route);
        await heard.AwaitAsync(WakeCauses.Routes, "it was deleted");
        return "all three";
    });

    [Fact]
    public Task Interfaces() => AskAsync(Question.WatchInterfaces, async () =>
    {
        ulong luid = ForwardingTests.NotForwarding(ipv6: false).Luid;
        using Heard heard = new();
        Made.Forwarding(luid, ipv6: false);
        await heard.AwaitAsync(WakeCauses.Forwarding, "forwarding was turned on");
        return "a change of parameters";
    });

    [Fact]
    public Task Addresses() => AskAsync(Question.WatchAddresses, async () =>
    {
        HostInterface loopback = Machine.Loopback;
        var address = Ip.Parse("192.0.2.200");
        using Heard heard = new();
        Made.Address(loopback.Luid, address);
        await heard.AwaitAsync(WakeCauses.Addresses, "an address was added");
        Assert.Contains(Machine.Read().Addresses, a => a.Address == address && a.Interface == loopback.Index);
        return $"{address} on {loopback.Name}";
    });

    /// <summary>The agent's watch, on a plan of these routes.</summary>
    private sealed class Heard : IDisposable
    {
        private readonly Channel<WakeCauses> _causes = Channel.CreateUnbounded<WakeCauses>();
        private readonly WindowsWatch _watch;

        public Heard(params PodRoute[] plan)
        {
            WindowsNews news = new();
            news.Expect(new Plan { Routes = [.. plan] });
            _watch = new(news, c => _causes.Writer.TryWrite(c));
        }

        public async Task AwaitAsync(WakeCauses wanted, string what)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            patience.CancelAfter(Patience);
            try
            {
                while (!(await _causes.Reader.ReadAsync(patience.Token)).HasFlag(wanted))
                {
                    // Something else happened on this machine.
                }
            }
            catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
            {
                Assert.Fail($"{what}, and Windows announced nothing within {Patience.TotalSeconds} s");
            }
        }

        public void Dispose() => _watch.Dispose();
    }
}
