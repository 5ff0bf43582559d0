using HostGw.Benchmarks.Figures;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Rtnetlink;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Benchmarks.Whole;

/// <summary>How soon the local route of the probe address stands again that somebody deleted.</summary>
internal static class ProbeAddressRepair
{
    // More would be slowed down: somebody keeps undoing it.
    private const int PerLife = 5;

    /// <param name="lives">Of the agent, with a few samples in each.</param>
    public static async Task<IReadOnlyList<Figure>> MeasureAsync(Site site, Build build, int lives)
    {
        using LinuxHost somebody =
            site.Machine.Run(() => new LinuxHost(new() { RouteProtocol = Site.Protocol, ProcSysNet = new("/proc/sys/net") }));
        SteadySamples deleted = new(lives * PerLife, Latencies.Attempts * lives * PerLife);
        while (!deleted.IsComplete)
        {
            site.Reset();
            using AgentProcess agent = await ColdStart.StartedAsync(site, build);
            await agent.QuietAsync();
            using var news = new KernelNews(site.Machine, NETLINK_ROUTE, RTNLGRP_IPV4_ROUTE);
            ProbeRoute route = site.Machine.Run(() => somebody.Read([])).ProbeRoutes.Single();
            for (int i = 0; i < PerLife; i++)
            {
                await deleted.TakeAsync(() => Latencies.TimeAsync(
                    agent, news, IsAddition, () => Delete(somebody, route), "deleted probe address came back"));
            }
        }
        return [deleted.Of(Names.ProbeAddressDeleted, site, build)];
    }

    private static bool IsAddition(ushort type, ReadOnlySpan<byte> payload) =>
        type == RTM_NEWROUTE && LocalRouteMessages.TryDecode(payload, out LocalRoute route) && route.Protocol == Site.Protocol;

    private static void Delete(LinuxHost somebody, ProbeRoute route)
    {
        HostChanges deletion = new() { Routes = RouteChanges.None, ProbeRoutes = new([], [route]) };
        if (somebody.Apply(deletion, ApplyMode.Change).Failures is [var failure, ..])
            throw new InvalidOperationException($"cannot {failure.What}", failure.Error);
    }
}
