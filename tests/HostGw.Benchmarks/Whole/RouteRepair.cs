using HostGw.Benchmarks.Figures;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Linux;

namespace HostGw.Benchmarks.Whole;

/// <summary>How soon a route stands again that somebody else deleted or changed.</summary>
internal static class RouteRepair
{
    // From five repairs in a minute on, the agent repairs a route at a limited rate (RepairLimiter).
    private const int PerRoute = 2;
    private const byte Static = 4;

    public static async Task<IReadOnlyList<Figure>> MeasureAsync(Site site, Build build, AgentProcess agent, KernelNews news, int samples)
    {
        using LinuxHost somebody = site.Machine.Run(() => new LinuxHost(new() { RouteProtocol = Static, ProcSysNet = new("/proc/sys/net") }));
        HostRoute[] routes = [.. site.Machine.Run(() => somebody.Read([])).Routes.Where(route => route.Protocol == Site.Protocol)];
        int most = Math.Min(Latencies.Attempts * samples, routes.Length * PerRoute);
        samples = Math.Min(samples, most);
        SteadySamples deleted = new(samples, most), changed = new(samples, most);
        for (int i = 0; !deleted.IsComplete; i++)
        {
            HostRoute route = routes[i % routes.Length];
            NewsFilter right = RouteNews.Set(route.Destination, route.NextHop);
            await deleted.TakeAsync(() => Latencies.TimeAsync(
                agent, news, right, () => Change(somebody, c => c.Delete.Add(route)), "deleted route came back"));
            await changed.TakeAsync(() => Latencies.TimeAsync(
                agent, news, right, () => Change(somebody, c => c.Replace.Add(Detour(route))), "changed route was put right"));
        }
        return [deleted.Of(Names.RouteDeleted, site, build), changed.Of(Names.RouteChanged, site, build)];
    }

    // As `ip route replace` does it: another next hop, another protocol.
    private static RouteCorrection Detour(HostRoute route) =>
        new(new(route.Destination, route.Metric, route.NextHop.Plus(1), route.Interface), route, CorrectionCause.Differs);

    private static void Change(LinuxHost somebody, Action<RouteChanges.Builder> change)
    {
        RouteChanges.Builder routes = new();
        change(routes);
        if (somebody.Apply(new() { Routes = routes.Build() }, new()).Failures is [var failure, ..])
            throw new InvalidOperationException($"cannot {failure.What}", failure.Error);
    }
}
