using System.Diagnostics;
using HostGw.Benchmarks.Figures;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Benchmarks.Whole;

/// <summary>From the start of the agent's process to the kernel's announcement of its last route; in turns with the floor.</summary>
internal static class ColdStart
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    public static async Task<IReadOnlyList<Figure>> MeasureAsync(Site site, IReadOnlyList<Build> builds, int runs)
    {
        List<double> read = [], add = [];
        List<double>[] starts = [.. builds.Select(_ => new List<double>())], requests = [.. builds.Select(_ => new List<double>())];
        for (int run = 0; run < runs; run++)
        {
            site.Reset();
            read.Add(Floor.ReadList(site).TotalMilliseconds);
            add.Add((await AddRoutesAsync(site)).TotalMilliseconds);
            for (int i = 0; i < builds.Count; i++)
            {
                site.Reset();
                (TimeSpan last, TimeSpan request) = await StartAsync(site, builds[i]);
                starts[i].Add(last.TotalMilliseconds);
                requests[i].Add(request.TotalMilliseconds);
            }
        }
        site.Reset();
        return
        [
            .. builds.SelectMany((build, i) => Figures(site.Size, build, new(starts[i]), new(read), new(add))),
            .. builds.Select((build, i) => new Figure(Names.FirstRequest, "ms", new(requests[i])) { Build = build.Name, Size = site.Size }),
        ];
    }

    /// <summary>Starts an agent and waits for its last route.</summary>
    /// <param name="flags">Of the agent, besides those of all.</param>
    public static async Task<AgentProcess> StartedAsync(Site site, Build build, params string[] flags)
    {
        (AgentProcess agent, _) = await RunAsync(site, build, flags);
        return agent;
    }

    // To be listened to costs whoever adds routes: it must cost the floor, too.
    private static async Task<TimeSpan> AddRoutesAsync(Site site)
    {
        using var news = new KernelNews(site.Machine, NETLINK_ROUTE, RTNLGRP_IPV4_ROUTE);
        Task<long> last = news.NextAsync(RouteNews.SetFirst(), site.Size - 1);
        TimeSpan time = Floor.AddRoutes(site);
        await last;
        return time;
    }

    private static async Task<(TimeSpan LastRoute, TimeSpan FirstRequest)> StartAsync(Site site, Build build)
    {
        site.Server.ClearRequests();
        (AgentProcess agent, TimeSpan time) = await RunAsync(site, build);
        agent.Dispose();
        return (time, site.Server.Requests[0].At - agent.StartedAt);
    }

    private static async Task<(AgentProcess Agent, TimeSpan Time)> RunAsync(Site site, Build build, params string[] flags)
    {
        using var news = new KernelNews(site.Machine, NETLINK_ROUTE, RTNLGRP_IPV4_ROUTE);
        Task<long> last = news.NextAsync(RouteNews.SetFirst(), site.Size - 1);
        var agent = new AgentProcess(site, build, flags);
        try
        {
            long at = await agent.AwaitAsync(last, "last route", Deadline);
            return (agent, Stopwatch.GetElapsedTime(agent.Started, at));
        }
        catch
        {
            agent.Dispose();
            throw;
        }
    }

    private static Figure[] Figures(int size, Build build, Samples starts, Samples read, Samples add) =>
    [
        new(Names.ColdStart, "ms", starts) { Build = build.Name, Size = size, Peers = [new("curl", read.Median), new("ip -batch", add.Median)] },
        new(Names.ColdStartRatio, "x", new(starts.Median / (read.Median + add.Median))) { Build = build.Name, Size = size },
    ];
}
