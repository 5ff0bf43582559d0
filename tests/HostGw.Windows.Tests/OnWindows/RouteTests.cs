using System.Diagnostics;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Windows;

namespace HostGw.Windows.Tests.OnWindows;

/// <summary>
/// On-link routes lead to the loopback interface, where packets go nowhere. Next hops are tried on the interface of the default route,
/// for what Windows accepts there is the question; nobody sends packets to prefixes of documentation.
/// </summary>
[SupportedOSPlatform("windows")]
public sealed class RouteTests(Verification run) : Asking(run)
{
    private const uint Metric = 300, OtherMetric = 4711;

    // ERROR_OBJECT_ALREADY_EXISTS
    private const uint AlreadyExists = 5010;

    private static readonly Prefix IPv4 = Prefix.Parse("203.0.113.0/24"), IPv6 = Prefix.Parse("2001:db8:77::/48");

    [Fact]
    public Task On_link_routes_of_both_families() => AskAsync(Question.Routes, () =>
    {
        HostInterface loopback = Machine.Loopback;
        return $"{LifeOf(new(IPv4, default, loopback.Luid))}; {LifeOf(new(IPv6, default, loopback.Luid))}; on {loopback.Name}";
    });

    [Fact]
    public Task Next_hop_inside_the_prefix() => AskAsync(Question.Gateway, () =>
    {
        (HostInterface uplink, Ip gateway) = Machine.Uplink();
        return $"{LifeOf(new(IPv4, gateway, uplink.Luid))}; on {uplink.Name}";
    });

    [Fact]
    public Task Next_hop_outside_of_all_prefixes() => AskAsync(Question.NextHop, () =>
    {
        (HostInterface uplink, _) = Machine.Uplink();
        return $"{LifeOf(new(IPv4, Ip.Parse("203.0.113.1"), uplink.Luid))}; on {uplink.Name}";
    });

    [Fact]
    public Task Errors_that_are_told_apart() => AskAsync(Question.Errors, () =>
    {
        OwnedRoute route = new(IPv4, default, Machine.Loopback.Luid);
        Made.Route(route, Metric);
        WindowsException twice = Assert.Throws<WindowsException>(() => NetIo.CreateRoute(route, Metric));
        Assert.True(twice.Code == AlreadyExists, twice.Message);
        NetIo.DeleteRoute(route);
        WindowsException missing = Assert.Throws<WindowsException>(() => NetIo.DeleteRoute(route));
        Assert.True(missing.IsNotFound, missing.Message);
        return $"{twice.Message}; {missing.Message}";
    });

    [Fact]
    public Task Route_that_packets_take() => AskAsync(Question.BestRoute, () =>
    {
        HostInterface loopback = Machine.Loopback;
        OwnedRoute route = new(IPv4, default, loopback.Luid);
        Made.Route(route, Metric);
        RouteAnswer answer = NetIo.BestRoute(IPv4.Address.Plus(2));
        NetIo.DeleteRoute(route);
        Assert.Equal((RouteAnswerKind.Route, IPv4, loopback.Index), (answer.Kind, answer.Destination, answer.Interface));
        return $"{answer.Destination} on {loopback.Name}";
    });

    [Fact]
    public Task A_thousand() => AskAsync(Question.Thousand, () =>
    {
        HostState before = Machine.Read();
        HostInterface loopback = before.Interfaces.First(i => i.IsLoopback);
        PodRoute[] routes = [.. Destinations().Select(d => new PodRoute(d, Metric, default, loopback.Index))];
        Made.WillMake([.. routes.Select(r => new OwnedRoute(r.Destination, default, loopback.Luid))]);
        OwnedRoutes owned = new();
        WindowsRoutes apply = new(owned, new(Path.Combine(Machine.Folder, "thousand")));

        string installed = Time(() => Apply(apply, new() { Add = routes }, before));
        HostState state = before;
        string listed = Time(() => state = Machine.Read());
        HashSet<Prefix> destinations = [.. routes.Select(r => r.Destination)];
        HostRoute[] found = [.. state.Routes.Where(r => r.Interface == loopback.Index && destinations.Contains(r.Destination))];
        Assert.Equal(routes.Length, found.Length);
        string removed = Time(() => Apply(apply, new() { Delete = found }, state));
        Assert.Equal(before.Routes.Count, Machine.Read().Routes.Count);
        return $"{routes.Length} routes: installed in {installed}, listed in {listed}, removed in {removed}";
    });

    /// <summary>Creates a route, reads it, changes it, deletes it.</summary>
    private string LifeOf(OwnedRoute route)
    {
        Made.Route(route, Metric);
        Assert.Equal(Metric, Find(route)?.Metric);
        string witness = Machine.PowerShell(
            $"(Get-NetRoute -DestinationPrefix {route.Destination} -PolicyStore ActiveStore " +
            "| ForEach-Object { '' + $_.NextHop + ' ' + $_.RouteMetric + ' ' + $_.Protocol })");
        NetIo.SetMetric(route, OtherMetric);
        Assert.Equal(OtherMetric, Find(route)?.Metric);
        NetIo.DeleteRoute(route);
        Assert.Null(Find(route));
        return $"{route.Destination} {(route.NextHop.IsNone ? "on-link" : $"via {route.NextHop}")}{witness}";
    }

    private static HostRoute? Find(OwnedRoute route)
    {
        HostState state = Machine.Read();
        HostRoute[] found = [.. state.Routes.Where(r =>
            new OwnedRoute(r.Destination, r.NextHop, state.Interface(r.Interface)?.Luid ?? 0) == route)];
        return found.Length == 0 ? null : Assert.Single(found);
    }

    private static void Apply(WindowsRoutes apply, RouteChanges changes, HostState state)
    {
        List<HostFailure> failures = [];
        apply.Apply(changes, state, failures);
        Assert.True(failures.Count == 0, $"{failures.Count} failed; the first: {failures.FirstOrDefault()?.Error.Message}");
    }

    private static IEnumerable<Prefix> Destinations() =>
    [
        .. Machine.Documentation.Where(d => d.IsIPv4)
            .SelectMany(d => Enumerable.Range(1, 250).Select(i => Prefix.Host(d.Address.Plus((uint)i)))),
        .. Enumerable.Range(1, 250).Select(i => Prefix.Parse($"2001:db8:{i:x}::/48")),
    ];

    private static string Time(Action action)
    {
        var watch = Stopwatch.StartNew();
        action();
        return $"{watch.ElapsedMilliseconds} ms";
    }
}
