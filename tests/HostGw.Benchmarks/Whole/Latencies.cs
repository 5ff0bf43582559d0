using System.Diagnostics;
using HostGw.Benchmarks.Figures;
using HostGw.FakeApi;
using HostGw.Planning;

namespace HostGw.Benchmarks.Whole;

/// <summary>How soon the machine follows the cluster: from the write to the API server to the kernel's announcement.</summary>
internal static class Latencies
{
    /// <summary>So many times as many samples as are wanted are taken at most.</summary>
    public const int Attempts = 3;

    /// <summary>Longer than the agent's pause between passes, which is no part of what is asked.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(65);

    public static async Task<IReadOnlyList<Figure>> MeasureAsync(Site site, Build build, AgentProcess agent, KernelNews news, int samples)
    {
        SteadySamples joins = new(samples, Attempts * samples), leaves = new(samples, Attempts * samples);
        for (int number = site.Size + 1; !joins.IsComplete; number++)
        {
            NodeSpec node = Site.Describe(number);
            var destination = Prefix.Parse(node.PodCidrs[0]);
            await joins.TakeAsync(() => TimeAsync(
                agent, news, RouteNews.Set(destination, Ip.Parse(node.InternalIPs[0])), () => site.Server.Nodes.Put(node),
                "route to a node that joined"));
            await leaves.TakeAsync(() => TimeAsync(
                agent, news, RouteNews.Removed(destination), () => site.Server.Nodes.Delete(node.Name),
                "removal of the route to a node that left"));
        }
        return [joins.Of(Names.Join, site, build), leaves.Of(Names.Leave, site, build)];
    }

    /// <summary>Milliseconds from before <paramref name="cause"/> to the announcement of its effect.</summary>
    public static async Task<double> TimeAsync(AgentProcess agent, KernelNews news, NewsFilter effect, Action cause, string what)
    {
        await Task.Delay(Pause);
        Task<long> heard = news.NextAsync(effect);
        long start = Stopwatch.GetTimestamp();
        cause();
        return Stopwatch.GetElapsedTime(start, await agent.AwaitAsync(heard, what)).TotalMilliseconds;
    }
}
