using System.Runtime.Versioning;
using System.Threading.Channels;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Tests.Platform.Windows;

[SupportedOSPlatform("windows")]
[Collection(nameof(WindowsTests))]
public sealed class WindowsWatchTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly WindowsAgent _agent = new();
    private readonly Channel<WakeCauses> _heard = Channel.CreateUnbounded<WakeCauses>();
    private readonly CancellationTokenSource _end = new();
    private readonly Task _watch;

    public WindowsWatchTests()
    {
        _agent.Pass();
        _watch = _agent.Host.WatchAsync(c => _heard.Writer.TryWrite(c), _end.Token);
    }

    [Theory]
    [InlineData("remove-route 10.244.2.0/24 10.0.0.2 0006008001000000", "routes")]
    [InlineData("route 10.244.2.0/24 10.0.0.9 0006008001000000 1 3", "routes")]
    [InlineData("route 10.244.2.0/24 10.0.0.2 0006008001000000 7 3", "routes")]
    [InlineData("route 0.0.0.0/0 10.0.0.253 0006008001000000 1 3", "routes")]
    [InlineData("route 192.168.5.0/24 on-link 0006008001000000 1 3", "routes")]
    [InlineData("route 10.244.2.128/25 10.0.0.9 0006008001000000 1 3", "routes")]
    [InlineData("remove-route 10.0.0.0/24 on-link 0006008001000000", "routes")]
    [InlineData("remove-address 0006008001000000 10.0.0.1/24", "addresses")]
    [InlineData("remove-interface 0006008002000000", "links")]
    [InlineData("interface 0006008001000000 7 up 25 - vEthernet (Ethernet)", "links,forwarding")]
    public async Task What_others_do_is_heard(string done, string causes)
    {
        Quiet();
        StandIn.Do(done);
        Assert.Equal(causes, WakeCauseNames.Of(await NextAsync()));
    }

    [Fact]
    public void A_route_that_concerns_nobody_is_not()
    {
        Quiet();
        StandIn.Do($"route 172.20.0.0/16 10.0.0.7 {WindowsAgent.Uplink} 1 3", "settle");
        Assert.False(_heard.Reader.TryRead(out WakeCauses heard), heard.ToString());
    }

    [Fact]
    public async Task After_the_end_nothing_is_heard()
    {
        Quiet();
        Assert.Equal("3", StandIn.Ask("listeners"));
        await _end.CancelAsync();
        await _watch;
        Assert.Equal("0", StandIn.Ask("listeners"));
        StandIn.Do($"remove-route 10.244.2.0/24 10.0.0.2 {WindowsAgent.Uplink}", "settle");
        Assert.False(_heard.Reader.TryRead(out WakeCauses heard), heard.ToString());
    }

    [Theory]
    [InlineData("NotifyRouteChange2")]
    [InlineData("NotifyIpInterfaceChange")]
    [InlineData("NotifyUnicastIpAddressChange")]
    public async Task A_refusal_to_announce_is_an_error(string function)
    {
        StandIn.Do($"answer {function} 8 1");
        HostNetworkException error = await Assert.ThrowsAnyAsync<HostNetworkException>(() => _agent.Host.WatchAsync(_ => { }, CancellationToken.None));
        Assert.Contains("error 8", error.Message, StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _watch;
        _agent.Dispose();
        _end.Dispose();
    }

    // What was announced before now has been heard, and is forgotten.
    private void Quiet()
    {
        StandIn.Do("settle");
        while (_heard.Reader.TryRead(out _))
        {
        }
    }

    private async Task<WakeCauses> NextAsync() => await _heard.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Patience, TestContext.Current.CancellationToken);
}
