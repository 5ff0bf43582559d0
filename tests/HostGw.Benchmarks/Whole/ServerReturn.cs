using System.Diagnostics;
using HostGw.Benchmarks.Figures;
using HostGw.FakeApi;
using HostGw.Net;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Benchmarks.Whole;

/// <summary>
/// How soon agents follow an API server that was restarted: from the moment it accepts connections again to the kernel's announcement of the
/// route to a node that joined meanwhile. As after a real restart, all connections were broken and every old version answers 410.
/// </summary>
internal static class ServerReturn
{
    private const int Runs = 3;

    // Long enough for the longest pauses between attempts.
    private static readonly TimeSpan Away = TimeSpan.FromSeconds(40), Deadline = TimeSpan.FromMinutes(3);

    public static async Task<IReadOnlyList<Figure>> MeasureAsync(Site site, Build build)
    {
        int size = site.Size;
        List<AgentProcess> agents = [];
        List<double> seconds = [];
        try
        {
            for (int number = 1; number <= site.Machines.Count; number++)
                agents.Add(await StartedAsync(site, build, number));
            for (int run = 0; run < Runs; run++)
                seconds.AddRange(await RestartAsync(site, agents, Site.Describe(size + 1)));
        }
        finally
        {
            agents.ForEach(agent => agent.Dispose());
            foreach (var machine in site.Machines)
                Site.Reset(machine);
        }
        return [new(Names.ServerReturn, "s", new(seconds)) { Build = build.Name, Size = size }];
    }

    private static async Task<AgentProcess> StartedAsync(Site site, Build build, int number)
    {
        Site.Reset(site.Machines[number - 1]);
        using var news = new KernelNews(site.Machines[number - 1], NETLINK_ROUTE, RTNLGRP_IPV4_ROUTE);
        Task<long> last = news.NextAsync(RouteNews.SetFirst(), site.Size - 1);
        var agent = new AgentProcess(site, build, number);
        await agent.AwaitAsync(last, "last route", Deadline);
        await agent.QuietAsync();
        return agent;
    }

    private static async Task<double[]> RestartAsync(Site site, List<AgentProcess> agents, NodeSpec joined)
    {
        KernelNews[] news = [.. site.Machines.Select(machine => new KernelNews(machine, NETLINK_ROUTE, RTNLGRP_IPV4_ROUTE))];
        NewsFilter route = RouteNews.Set(Prefix.Parse(joined.PodCidrs[0]), Ip.Parse(joined.InternalIPs[0]));
        await site.Server.StopListeningAsync();
        site.Server.CutConnections();
        site.Server.Nodes.Put(joined);
        site.Server.CompactHistory();
        await Task.Delay(Away);

        Task<long>[] heard = [.. news.Select(n => n.NextAsync(route))];
        long start = Stopwatch.GetTimestamp();
        await site.Server.StartListeningAsync();
        long[] at = await Task.WhenAll(heard.Select((h, i) => agents[i].AwaitAsync(h, "route to the node that joined meanwhile", Deadline)));

        Task<long>[] gone = [.. news.Select(n => n.NextAsync(RouteNews.Removed(Prefix.Parse(joined.PodCidrs[0]))))];
        site.Server.Nodes.Delete(joined.Name);
        await Task.WhenAll(gone.Select((g, i) => agents[i].AwaitAsync(g, "removal of that route", Deadline)));
        Array.ForEach(news, n => n.Dispose());
        return [.. at.Select(t => Stopwatch.GetElapsedTime(start, t).TotalSeconds)];
    }
}
