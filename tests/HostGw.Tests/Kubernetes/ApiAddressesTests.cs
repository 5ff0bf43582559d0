using System.Net.Sockets;
using HostGw.FakeApi;
using HostGw.Kubernetes;
using HostGw.Tests.FakeApi;
using HostGw.Tests.Nodes;
using HostGw.Tests.Reconciliation;

namespace HostGw.Tests.Kubernetes;

/// <summary>Further addresses of the API servers, beside the configured one.</summary>
public sealed class ApiAddressesTests : FakeApiTest
{
    private static readonly IPAddress Service = IPAddress.Loopback, Node = IPAddress.Parse("127.0.0.2");

    // The first address plays the Service's, the second an API server's own.
    protected override FakeApiOptions Options => new() { Listen = [new(Service, 0), new(Node, 0)] };

    [Theory]
    [InlineData(ApiVerb.RawRead)]
    [InlineData(ApiVerb.TypedWrite)]
    public async Task An_address_that_refuses_is_followed_by_the_next_at_once(ApiVerb verb)
    {
        // No time passes: it fails where a lead is waited for.
        using ApiClient client = Open($"https://127.0.0.1:{ClosedPort()}", new ManualTime());
        client.UseAddresses(() => [new(IPAddress.Loopback, ClosedPort()), Api.Endpoints[0]]);
        await client.DoAsync(verb);
    }

    [Fact]
    public async Task An_address_that_is_silent_is_followed_by_the_next_after_a_second()
    {
        using var silent = new SilentPort();
        ManualTime time = new();
        using ApiClient client = Open($"https://127.0.0.1:{silent.Port}", time);
        client.UseAddresses(() => [Api.Endpoints[0]]);
        await AfterAsync(TimeSpan.FromSeconds(1), time, client.DoAsync(ApiVerb.RawRead));
    }

    [Fact]
    public async Task The_configured_address_comes_first()
    {
        await using FakeApiServer other = await FakeApiServer.StartAsync();
        using ApiClient client = Open(Api.Uri.ToString());
        client.UseAddresses(() => [other.Endpoints[0]]);
        await client.DoAsync(ApiVerb.RawRead);
        Assert.Single(Api.Requests);
        Assert.Equal(0, other.OpenConnections);
    }

    [Fact]
    public async Task The_certificate_must_be_for_the_configured_host_and_no_other_address_is_tried_when_it_is_not()
    {
        int port = ClosedPort();
        using ApiClient client = Open($"https://127.0.0.9:{port}");
        client.UseAddresses(() => [Api.Endpoints[0], Api.Endpoints[0]]);
        var e = await Assert.ThrowsAsync<ApiException>(() => client.DoAsync(ApiVerb.TypedWrite));
        Assert.Contains("not for '127.0.0.9'", e.Message, StringComparison.Ordinal);
        Assert.Empty(Api.Requests);
    }

    [Fact]
    public async Task When_none_answers_all_are_named_and_the_configured_ones_reason_is_told()
    {
        int first = ClosedPort(), second = ClosedPort();
        using ApiClient client = Open($"https://127.0.0.1:{first}");
        client.UseAddresses(() => [new(IPAddress.Loopback, second)]);
        var e = await Assert.ThrowsAsync<ApiException>(() => client.DoAsync(ApiVerb.RawRead));
        Assert.Equal($"Cannot connect to 127.0.0.1:{first} (127.0.0.1:{first}, 127.0.0.1:{second}): Connection refused", e.Message);
    }

    [Theory]
    [InlineData(ApiVerb.RawRead)]
    [InlineData(ApiVerb.TypedWrite)]
    public async Task An_address_that_ends_the_TLS_handshake_is_followed_by_the_next_at_once(ApiVerb verb)
    {
        Api.MakeUnreachable(Service);
        using ApiClient client = Open(Api.Uri.ToString(), new ManualTime());
        client.UseAddresses(() => [Api.Endpoints[1]]);
        await client.DoAsync(verb);
        Assert.Equal(Node, client.RemoteAddress);
    }

    [Fact]
    public async Task An_address_that_accepts_and_says_nothing_is_followed_by_the_next_after_ten_seconds()
    {
        Api.MakeUnreachable(Service, Unreachable.Silent);
        ManualTime time = new();
        using ApiClient client = Open(Api.Uri.ToString(), time);
        client.UseAddresses(() => [Api.Endpoints[1]]);
        await AfterAsync(TimeSpan.FromSeconds(10), time, client.DoAsync(ApiVerb.RawRead));
        Assert.Equal(Node, client.RemoteAddress);
    }

    [Fact]
    public async Task After_twenty_seconds_no_further_address_is_tried()
    {
        foreach (IPAddress address in new[] { Service, Node })
            Api.MakeUnreachable(address, Unreachable.Silent);
        TimeSpan handshake = TimeSpan.FromSeconds(10);
        ManualTime time = new();
        using ApiClient client = Open(Api.Uri.ToString(), time);
        client.UseAddresses(() => [Api.Endpoints[1], new(IPAddress.Loopback, ClosedPort())]);
        Task<ApiException> failure = Assert.ThrowsAsync<ApiException>(() => client.DoAsync(ApiVerb.RawRead));
        await time.AwaitedAsync(handshake);
        time.Advance(handshake);
        await EventuallyAsync(() => time.Pending().Count(p => p == handshake) == 2, "the second address has its time, and all together");
        time.Advance(handshake);
        Assert.Equal(
            $"No TLS connection to 127.0.0.1:{Api.Uri.Port} ({Api.Endpoints[0]}, {Api.Endpoints[1]}): no answer within 10 s", (await failure).Message);
    }

    [Fact]
    public async Task Further_addresses_are_not_asked_for_as_long_as_the_configured_one_answers()
    {
        int asked = 0;
        using ApiClient client = Open(Api.Uri.ToString());
        client.UseAddresses(() => Interlocked.Increment(ref asked) > 0 ? [Api.Endpoints[1]] : []);
        await client.DoAsync(ApiVerb.RawRead);
        Assert.Equal((Service, 0), (client.RemoteAddress, asked));

        Api.MakeUnreachable(Service);
        await client.DoAsync(ApiVerb.RawRead);
        Assert.Equal(1, asked);
    }

    [Fact]
    public async Task The_next_connection_begins_with_the_configured_address_again()
    {
        Api.MakeUnreachable(Service);
        using ApiClient client = Open(Api.Uri.ToString());
        client.UseAddresses(() => [Api.Endpoints[1]]);
        await client.DoAsync(ApiVerb.RawRead);
        Assert.Equal(Node, client.RemoteAddress);

        Api.MakeReachable(Service);
        Api.CutConnections();
        await client.DoAsync(ApiVerb.RawRead);
        Assert.Equal(Service, client.RemoteAddress);
    }

    [Theory]
    [InlineData(ApiVerb.RawRead)]
    [InlineData(ApiVerb.TypedWrite)]
    public async Task A_server_of_another_authority_is_refused_and_no_further_address_tried(ApiVerb verb)
    {
        await using FakeApiServer stranger = await FakeApiServer.StartAsync();
        using ApiClient client = Open(stranger.Uri.ToString());
        client.UseAddresses(() => throw new InvalidOperationException("asked for further addresses"));
        Assert.True((await Assert.ThrowsAsync<ApiException>(() => client.DoAsync(verb))).IsUntrusted);
        Assert.Empty(stranger.Requests);
        Assert.Empty(Api.Requests);
    }

    [Fact]
    public async Task A_further_address_with_another_authority_gets_nothing()
    {
        await using FakeApiServer stranger = await FakeApiServer.StartAsync();
        Api.MakeUnreachable(Service);
        using ApiClient client = Open(Api.Uri.ToString());
        client.UseAddresses(() => [stranger.Endpoints[0], Api.Endpoints[1]]);
        Assert.True((await Assert.ThrowsAsync<ApiException>(() => client.DoAsync(ApiVerb.TypedWrite))).IsUntrusted);
        Assert.Empty(stranger.Requests);
        Assert.Empty(Api.Requests);
    }

    private static async Task AfterAsync(TimeSpan pause, ManualTime time, Task request)
    {
        await time.AwaitedAsync(pause);
        Assert.False(request.IsCompleted);
        time.Advance(pause);
        await request;
    }

    private ApiClient Open(string server, TimeProvider? time = null) => new(new()
    {
        Server = new(server),
        CertificateAuthority = CredentialSource.Inline(Api.CaPem),
        Token = CredentialSource.Inline(Api.Token),
    }, "1.2.3", time ?? PatientTime.OfClient);

    private static int ClosedPort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    /// <summary>A port whose queue of connections is full: the kernel drops further ones.</summary>
    private sealed class SilentPort : IDisposable
    {
        private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        private readonly Socket[] _waiting = [.. Enumerable.Range(0, 4).Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false })];

        public SilentPort()
        {
            _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _listener.Listen(0);
            foreach (Socket socket in _waiting)
                _ = Record.Exception(() => socket.Connect(IPAddress.Loopback, Port));
        }

        public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

        public void Dispose()
        {
            Array.ForEach(_waiting, s => s.Dispose());
            _listener.Dispose();
        }
    }
}
