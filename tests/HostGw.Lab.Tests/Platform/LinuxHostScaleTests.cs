using System.Diagnostics;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Lab.Tests.Platform;

[SupportedOSPlatform("linux")]
public sealed class LinuxHostScaleTests(ITestOutputHelper output) : IDisposable
{
    private readonly LinuxNamespace _host = new();

    public void Dispose() => _host.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Twenty_thousand_routes_come_are_read_and_go(bool ipv6)
    {
        PodRoute[] routes = [.. ipv6 ? LinuxRoutesMany.OfIPv6(_host, 20_000) : LinuxRoutesMany.Of(_host, 20_000)];

        Assert.Empty(Timed("add", () => _host.Apply(c => c.Add.AddRange(routes))));
        HostRoute[] installed = [.. Timed("read", _host.Read).Routes.Where(r => r.IsOurs)];
        Assert.Equal(routes.Select(r => r.Key), installed.Select(r => r.Key));
        Assert.True(routes.Zip(installed).All(pair => pair.First.IsInstalledAs(pair.Second)));

        Assert.Empty(Timed("replace", () => _host.Apply(c => c.Replace.AddRange(
            routes.Zip(installed)
                .Select(p => new RouteCorrection(p.First with { NextHop = p.First.NextHop.Plus(1) }, p.Second, default))))));
        installed = [.. _host.Ours()];
        Assert.True(routes.Zip(installed).All(pair => pair.Second.NextHop == pair.First.NextHop.Plus(1)));
        Assert.Equal(routes.Length, installed.Length);

        Assert.Empty(Timed("delete", () => _host.Apply(c => c.Delete.AddRange(installed))));
        Assert.Empty(_host.Ours());
    }

    [Theory]
    [InlineData(0, "")]
    [InlineData(99, "")]
    [InlineData(100, "scope 1 ")]
    [InlineData(19_999, "scope 199 ")]
    [InlineData(20_000, "")]
    public void Of_many_routes_each_hundred_has_a_scope_that_changes_no_packets_way(int index, string scope)
    {
        PodRoute[] routes = [.. LinuxRoutesMany.Of(_host, 20_001)];
        Assert.Empty(_host.Apply(c => c.Add.AddRange(routes)));
        PodRoute route = routes[index];
        Assert.Equal($"{route.Destination} via {route.NextHop} dev eth0 proto 157 {scope}onlink", _host.Show(route.Destination.ToString()));

        // Sent by this host; and forwarded back over the same interface, past a strict check of where it comes from.
        _host.Network.Sysctl("ipv4/conf/all/rp_filter", "1");
        _host.Network.Sysctl("ipv4/ip_forward", "1");
        Ip pod = route.Destination.Address.Plus(5), other = routes[(index + 150) % routes.Length].Destination.Address.Plus(5);
        Assert.StartsWith($"{pod} via {route.NextHop} dev eth0 src 192.0.2.1", _host.Shell($"route get {pod}"), StringComparison.Ordinal);
        string answer = _host.Shell($"route get {pod} from {other} iif eth0");
        Assert.StartsWith($"{pod} from {other} via {route.NextHop} dev eth0", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reading_while_others_change_routes_tells_no_route_twice_and_ends()
    {
        PodRoute[] routes = [.. LinuxRoutesMany.Of(_host, 2000), .. LinuxRoutesMany.OfIPv6(_host, 2000)];
        Assert.Empty(_host.Apply(c => c.Add.AddRange(routes)));
        using var ended = new CancellationTokenSource();
        Task churn = Task.Run(() => Churn(ended.Token), TestContext.Current.CancellationToken);

        RouteKey[] expected = [.. routes.Select(r => r.Key)];
        int incomplete = 0;
        for (int i = 0; i < 200; i++)
        {
            HostRoute[] ours = [.. _host.Ours()];
            Assert.Equal(ours.Distinct(), ours);
            incomplete += expected.Except(ours.Select(r => r.Key)).Any() ? 1 : 0;
        }
        await ended.CancelAsync();
        await churn;
        // The kernel may skip IPv6 routes when others before them went: adding one again is then refused, and nothing is lost.
        output.WriteLine($"{incomplete} of 200 reads were incomplete");
    }

    // Neighbours, in the kernel's order, of those that stay.
    private void Churn(CancellationToken cancellationToken)
    {
        string[] foreign = [.. Enumerable.Range(0, 1000).SelectMany(
            i => (string[])[$"10.64.{i / 16}.{i % 16 * 16 + 8}/29", $"fd00:0:0:{i * 2:x}:8000::/65"])];
        while (!cancellationToken.IsCancellationRequested)
        {
            _host.Network.Configure(foreign.Select(f => $"route add {f} dev eth0"));
            _host.Network.Configure(foreign.Select(f => $"route del {f} dev eth0"));
        }
    }

    private T Timed<T>(string what, Func<T> act)
    {
        long start = Stopwatch.GetTimestamp();
        T result = act();
        output.WriteLine($"{what}: {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms");
        return result;
    }
}
