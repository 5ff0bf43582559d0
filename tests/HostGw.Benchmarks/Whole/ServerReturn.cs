using System.Diagnostics;
using HostGw.Benchmarks.Figures;
using HostGw.FakeApi;
using HostGw.Net;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Benchmarks.Whole;

/// <summary>
/// How soon agents follow an API server that was restarted: from the moment it accepts connections again to the kernel's announcement of the
/// route to a node that joined meanwhile; for protocol readers, to the moment at which they know that Node. As after a real restart, all
/// connections were broken and every old version answers 410.
/// </summary>
internal static class ServerReturn
{
    /// <summary>Of the cluster. Each Node has 2.8 KB, as kubelet writes it where few images are.</summary>
    public const int Size = 500;

    // Long enough for the longest pauses between attempts.
    private static readonly TimeSpan Away = TimeSpan.FromSeconds(40), Deadline = TimeSpan.FromMinutes(3);

    public static async Task<IReadOnlyList<Figure>> MeasureAsync(Site site, Build build)
    {
        List<AgentProcess> agents = [];
        try
        {
            for (int number = 1; number <= site.Machines.Count; number++)
                agents.Add(await StartedAsync(site, build, number));
            Samples alone = await MeasureAsync(site, agents, readers: 0, runs: 3);
            Samples all = await MeasureAsync(site, agents, readers: Size - agents.Count, runs: 2);
            Figure Figure(string name, Samples seconds) => new(name, "s", seconds) { Build = build.Name, Size = Size };
            return
            [
                Figure(Names.ServerReturn, alone), Figure(Names.ServerReturnToAll, all), Figure(Names.ServerReturnSlowest, new(all.Max)),
            ];
        }
        finally
        {
            agents.ForEach(agent => agent.Dispose());
            foreach (var machine in site.Machines)
                Site.Reset(machine);
        }
    }

    private static async Task<Samples> MeasureAsync(Site site, List<AgentProcess> agents, int readers, int runs)
    {
        using ProtocolReaders crowd = new(site, readers);
        await crowd.KnowAsync(site.Size).WaitAsync(Deadline);
        List<double> seconds = [];
        for (int run = 0; run < runs; run++)
            seconds.AddRange(await RestartAsync(site, agents, crowd, Site.DescribeSmall(site.Size + 1)));
        return new(seconds);
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

    private static async Task<double[]> RestartAsync(Site site, List<AgentProcess> agents, ProtocolReaders readers, NodeSpec joined)
    {
        KernelNews[] news = [.. site.Machines.Select(machine => new KernelNews(machine, NETLINK_ROUTE, RTNLGRP_IPV4_ROUTE))];
        NewsFilter route = RouteNews.Set(Prefix.Parse(joined.PodCidrs[0]), Ip.Parse(joined.InternalIPs[0]));
        int size = site.Size;
        await site.Server.StopListeningAsync();
        site.Server.CutConnections();
        site.Server.Nodes.Put(joined);
        site.Server.CompactHistory();
        await Task.Delay(Away);

        Task<long>[] heard = [.. news.Select(n => n.NextAsync(route))];
        Task<long[]> known = readers.KnowAsync(size + 1);
        long start = Stopwatch.GetTimestamp();
        await site.Server.StartListeningAsync();
        long[] at = await Task.WhenAll(heard.Select((h, i) => agents[i].AwaitAsync(h, "route to the node that joined meanwhile", Deadline)));
        at = [.. at, .. await known.WaitAsync(Deadline)];

        Task<long>[] gone = [.. news.Select(n => n.NextAsync(RouteNews.Removed(Prefix.Parse(joined.PodCidrs[0]))))];
        site.Server.Nodes.Delete(joined.Name);
        await Task.WhenAll(gone.Select((g, i) => agents[i].AwaitAsync(g, "removal of that route", Deadline)));
        await readers.KnowAsync(size).WaitAsync(Deadline);
        Array.ForEach(news, n => n.Dispose());
        return [.. at.Select(t => Stopwatch.GetElapsedTime(start, t).TotalSeconds)];
    }
}
