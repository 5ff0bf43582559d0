using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Netlink;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Lab.Tests.Platform;

/// <summary>What stands in for a dump must be what the dump would tell.</summary>
[SupportedOSPlatform("linux")]
public sealed class LinuxHostKnownTests : IDisposable
{
    private const string Foreign = "10.99.0.0/24";
    private readonly LinuxNamespace _host = new();

    public LinuxHostKnownTests() => _host.Shell("route add default via 192.0.2.254");

    public void Dispose() => _host.Dispose();

    [Fact]
    public void What_we_changed_ourselves_is_known_as_it_would_be_read()
    {
        PodRoute[] some =
        [
            _host.Route("10.244.9.0/24", "192.0.2.9"), _host.Route("10.244.1.0/24", "192.0.2.8"), _host.Route("10.0.0.0/16"), _host.Route("192.0.3.0/24", "192.0.2.7"),
            _host.Route("fd00:1::/64", "2001:db8::9"), _host.Route("fd00:2::/64", "fe80::9"), _host.Route("fd00::/48"), _host.Route("fe00::/64", "2001:db8::9"),
        ];
        ReadTwice();
        Assert.Empty(_host.Apply(c => c.Add.AddRange(some)));
        AssertKnown(some.Length);

        HostRoute[] gone = [.. _host.Ours().Where((_, i) => i % 2 == 0)];
        Assert.Empty(_host.Apply(c => c.Delete.AddRange(gone)));
        AssertKnown(some.Length / 2);

        Assert.Empty(_host.Apply(c =>
        {
            c.Add.AddRange(some.Where(r => gone.Any(g => g.Key == r.Key)));
            c.Delete.AddRange(_host.Ours());
        }));
        AssertKnown(some.Length / 2);
    }

    [Fact]
    public void Changes_of_two_passes_are_known_one_after_the_other()
    {
        ReadTwice();
        for (int i = 1; i < 5; i++)
        {
            Assert.Empty(_host.Apply(c => c.Add.Add(_host.Route($"10.244.{i}.0/24", "192.0.2.9"))));
            Assert.Equal(i, Known().Routes.Count(r => r.IsOurs));
        }
        AssertKnown(4);
    }

    [Fact]
    public void Nothing_is_read_again_until_it_must()
    {
        ReadTwice();
        HostState before = Known();
        _host.Shell($"route add {Foreign} dev eth0");

        // Nobody listens here: it cannot be known.
        Assert.DoesNotContain(Known().Routes, r => r.Destination == Prefix.Parse(Foreign));
        Assert.Equal(before.Protected, Known().Protected);
        Assert.Contains(_host.Read().Routes, r => r.Destination == Prefix.Parse(Foreign));
        Assert.Contains(Known().Routes, r => r.Destination == Prefix.Parse(Foreign));
    }

    [Theory]
    [InlineData("", "route add 10.99.0.0/24 dev eth0")]
    [InlineData("route add 10.99.0.0/24 dev eth0", "route del 10.99.0.0/24")]
    [InlineData("nexthop add id 5 via 192.0.2.9 dev eth0; route add 10.99.0.0/24 nhid 5", "nexthop del id 5")]
    [InlineData("", "addr add 192.0.2.77/32 dev eth0")]
    [InlineData("", "link set eth0 mtu 1400")]
    [InlineData("", "link set eth0 down")]
    public async Task Whatever_others_change_has_it_read_again(string before, string change)
    {
        await using LinuxWatched watched = new();
        foreach (string line in before.Split("; ", StringSplitOptions.RemoveEmptyEntries))
            watched.Space.Shell(line);
        watched.After(() => { });
        string Picture()
        {
            HostState known = watched.Space.Network.Run(() => watched.Space.Host.Read(default, anew: false));
            return string.Join('\n', [.. known.Routes.Select(r => $"{r}"), .. known.Addresses.Select(r => $"{r}"), .. known.Interfaces.Select(i => $"{i}")]);
        }
        Picture();
        string known = Picture();

        // Nothing else will be heard that would have it read again.
        watched.Space.Shell(change);

        await Eventually.TrueAsync(() => Picture() != known, () => "nothing is known of it");
    }

    [Fact]
    public void What_is_read_just_after_news_is_not_relied_on()
    {
        using NetlinkSocket socket = _host.Network.Run(() => new NetlinkSocket(NETLINK_ROUTE));
        RouteNews news = new(LinuxNamespace.Protocol, socket.PortId);
        LinuxHostReader reader = new(socket, news, _host.Options);
        int Count() => _host.Network.Run(() => reader.Read(default, anew: false)).Routes.Count(r => r.Destination.Length == 24 && r.Protocol == 3);
        Count();
        Count();

        news.Read([]);
        Assert.Equal(0, Count());
        // What was announced is only done now.
        _host.Shell("route add 10.99.1.0/24 dev eth0");
        Assert.Equal(1, Count());
        _host.Shell("route add 10.99.2.0/24 dev eth0");
        Assert.Equal(1, Count());
    }

    public static TheoryData<string> Unclear => ["refused", "replaced", "many", "forwarding", "default"];

    [Theory]
    [MemberData(nameof(Unclear))]
    public void What_is_not_clear_is_read_again(string what)
    {
        PodRoute route = _host.Route("10.244.1.0/24", "192.0.2.9");
        if (what == "replaced")
            Assert.Empty(_host.Apply(c => c.Add.Add(route)));
        ReadTwice();
        HostRoute gateway = _host.Read().Routes.Single(r => r.Destination == Prefix.Parse("0.0.0.0/0"));
        HostRoute? standing = _host.Ours().Cast<HostRoute?>().SingleOrDefault();
        _host.Shell($"route add {Foreign} dev eth0");
        switch (what)
        {
            case "refused":
                Assert.Single(_host.Apply(c => c.Add.AddRange([route, route])));
                break;
            case "replaced":
                Assert.Empty(_host.Apply(c => c.Replace.Add(new(route with { NextHop = route.NextHop.Plus(1) }, standing!.Value, default))));
                break;
            case "many":
                Assert.Empty(_host.Apply(c => c.Add.AddRange(LinuxRoutesMany.Of(_host, 17))));
                break;
            case "default":
                Assert.Empty(_host.Apply(c => c.Delete.Add(gateway)));
                break;
            default:
                Assert.Empty(_host.Apply(new HostChanges { Routes = new(), EnableForwardingIPv4 = true }));
                break;
        }
        Assert.Contains(Known().Routes, r => r.Destination == Prefix.Parse(Foreign));
    }

    // News may be ahead of what it tells.
    private void ReadTwice()
    {
        _host.Read();
        _host.Read();
    }

    private HostState Known() => _host.Network.Run(() => _host.Host.Read(default, anew: false));

    private void AssertKnown(int ours)
    {
        HostState state = Known();
        HostRoute[] known = [.. state.Routes];
        HostState read = _host.Read();
        Assert.Equal(ours, known.Count(r => r.IsOurs));
        Assert.Equal(read.Routes, known);
        Assert.Equal(read.Protected, state.Protected);
        Assert.NotEmpty(state.Protected);
    }
}
