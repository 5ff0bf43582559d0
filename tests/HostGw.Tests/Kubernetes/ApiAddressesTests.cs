using System.Net.Sockets;
using HostGw.FakeApi;
using HostGw.Kubernetes;
using HostGw.Tests.FakeApi;

namespace HostGw.Tests.Kubernetes;

/// <summary>Further addresses of the API servers, beside the configured one.</summary>
public sealed class ApiAddressesTests : FakeApiTest
{
    [Theory]
    [InlineData(ApiVerb.RawRead)]
    [InlineData(ApiVerb.TypedWrite)]
    public async Task An_address_that_refuses_is_followed_by_the_next_at_once(ApiVerb verb)
    {
        using ApiClient client = Open($"https://127.0.0.1:{ClosedPort()}");
        client.UseAddresses([new(IPAddress.Loopback, ClosedPort()), Api.Endpoints[0]]);
        long start = TimeProvider.System.GetTimestamp();
        await client.DoAsync(verb);
        Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(1.9), "two leads of 1 s were not waited for");
    }

    [Fact]
    public async Task An_address_that_is_silent_is_followed_by_the_next_after_a_second()
    {
        using var silent = new SilentPort();
        using ApiClient client = Open($"https://127.0.0.1:{silent.Port}");
        client.UseAddresses([Api.Endpoints[0]]);
        long start = TimeProvider.System.GetTimestamp();
        await client.DoAsync(ApiVerb.RawRead);
        Assert.InRange(TimeProvider.System.GetElapsedTime(start).TotalSeconds, 0.9, 4.5);
    }

    [Fact]
    public async Task The_configured_address_comes_first()
    {
        await using FakeApiServer other = await FakeApiServer.StartAsync();
        using ApiClient client = Open(Api.Uri.ToString());
        client.UseAddresses([other.Endpoints[0]]);
        await client.DoAsync(ApiVerb.RawRead);
        Assert.Single(Api.Requests);
        Assert.Equal(0, other.OpenConnections);
    }

    [Fact]
    public async Task The_certificate_must_be_for_the_configured_host_and_no_other_address_is_tried_when_it_is_not()
    {
        int port = ClosedPort();
        using ApiClient client = Open($"https://127.0.0.9:{port}");
        client.UseAddresses([Api.Endpoints[0], Api.Endpoints[0]]);
        var e = await Assert.ThrowsAsync<ApiException>(() => client.DoAsync(ApiVerb.TypedWrite));
        Assert.Contains("not for '127.0.0.9'", e.Message, StringComparison.Ordinal);
        Assert.Empty(Api.Requests);
    }

    [Fact]
    public async Task When_none_answers_all_are_named_and_the_configured_ones_reason_is_told()
    {
        int first = ClosedPort(), second = ClosedPort();
        using ApiClient client = Open($"https://127.0.0.1:{first}");
        client.UseAddresses([new(IPAddress.Loopback, second)]);
        var e = await Assert.ThrowsAsync<ApiException>(() => client.DoAsync(ApiVerb.RawRead));
        Assert.Equal($"Cannot connect to 127.0.0.1:{first} (127.0.0.1:{first}, 127.0.0.1:{second}): Connection refused", e.Message);
    }

    private ApiClient Open(string server) => ApiVerbs.Client(new()
    {
        Server = new(server),
        CertificateAuthority = CredentialSource.Inline(Api.CaPem),
        Token = CredentialSource.Inline(Api.Token),
    });

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
