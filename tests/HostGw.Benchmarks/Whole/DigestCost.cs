using System.Diagnostics;
using System.Globalization;
using HostGw.Benchmarks.Figures;
using HostGw.Digest;
using HostGw.FakeApi;
using HostGw.Lab;
using HostGw.Lab.Agents;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Benchmarks.Whole;

/// <summary>What an agent receives that follows the node digest, beside one that watches Nodes; and what the digest itself costs.</summary>
/// <remarks>Bytes are those that arrive on the machine's interface, TLS and TCP included. Probes are off: nobody answers them.</remarks>
internal static class DigestCost
{
    private const int Joins = 50, JoinsOfNodes = 10;
    private const int LongRuns = 3;

    // With so many a Node has 10 KB of protobuf.
    private const int Images = 31;

    // In 5 minutes every node reports once, the own one too.
    private static readonly TimeSpan Short = TimeSpan.FromMinutes(5), Long = TimeSpan.FromMinutes(20);
    private static readonly TimeSpan OfNodes = TimeSpan.FromMinutes(1);

    // The digest writes a shard at most once a second: a join that waits for the one before it is no part of what is asked.
    private static readonly TimeSpan PastAWrite = TimeSpan.FromSeconds(1.2), Deadline = TimeSpan.FromMinutes(5);

    private static readonly string[] DigestFlags = ["--nodes-source", "digest", "--probe-enabled", "false"];
    private static readonly string[] NodesFlags = ["--probe-enabled", "false"];

    public static IReadOnlyList<int> Sizes { get; } = [1_000, 5_000, 10_000];

    public static NodeSpec Describe(int number) => Site.Describe(number) with { Images = Images };

    /// <param name="isLong">The figure of an hour is that of 20 minutes, three times, and not of 5 minutes.</param>
    public static async Task<IReadOnlyList<Figure>> MeasureAsync(Site site, Build build, bool isLong)
    {
        List<Figure> figures = [.. await MeasureDigestAsync(site, build, isLong), .. await MeasureNodesAsync(site, build)];
        site.Reset();
        return [.. figures.Select(figure => figure with { Build = build.Name, Size = site.Size })];
    }

    private static async Task<IReadOnlyList<Figure>> MeasureDigestAsync(Site site, Build build, bool isLong)
    {
        using DigestProgram digest = NewDigest(site, build);
        digest.Start();
        await digest.WaitReadyAsync(Deadline);
        (double listed, AgentProcess started) = await StartAsync(site, build, DigestFlags);
        using AgentProcess agent = started;
        (List<double> times, double joinBytes) = await JoinAsync(site, agent, Joins);
        Sent before = site.Server.Sent("configmaps");
        long start = Stopwatch.GetTimestamp();
        TimeSpan clock = ProcessClock.Read(digest.ProcessId);
        List<double> hours = [];
        for (int run = 0; run < (isLong ? LongRuns : 1); run++)
            hours.Add(await HourAsync(site, agent, isLong ? Long : Short));
        double cpu = 100 * (ProcessClock.Read(digest.ProcessId) - clock) / Stopwatch.GetElapsedTime(start);
        return
        [
            new(Names.DigestFirstList, "MB", new([listed / 1e6])),
            new(Names.DigestJoin, "ms", new(times)),
            new(Names.DigestJoinBytes, "KB", new([joinBytes / 1e3])),
            new(isLong ? Names.DigestHour : Names.DigestHourShort, "KB", new(hours.Select(hour => hour / 1e3))),
            new(Names.DigestAll, "MB/s", new([OfAll(site, hours.Max())])),
            new(Names.DigestMemory, "MB", new([PssMB(digest.ProcessId)])),
            new(Names.DigestCpu, "% of a core", new([cpu])),
            new(Names.DigestWrites, "", new([site.Server.Sent("configmaps").Since(before).Writes])),
        ];
    }

    private static async Task<IReadOnlyList<Figure>> MeasureNodesAsync(Site site, Build build)
    {
        (double listed, AgentProcess started) = await StartAsync(site, build, NodesFlags);
        using AgentProcess agent = started;
        (_, double joinBytes) = await JoinAsync(site, agent, JoinsOfNodes);
        double hour = await HourAsync(site, agent, OfNodes);
        return
        [
            new(Names.NodesFirstList, "MB", new([listed / 1e6])),
            new(Names.NodesJoinBytes, "KB", new([joinBytes / 1e3])),
            new(Names.NodesHour, "KB", new([hour / 1e3])),
            new(Names.NodesAll, "MB/s", new([OfAll(site, hour)])),
        ];
    }

    // Not on a machine: what arrives there is the agent's.
    private static DigestProgram NewDigest(Site site, Build build)
    {
        site.Server.Objects.Put(
            $$$"""{"kind":"Namespace","metadata":{"name":"{{{ShardFormat.Namespace}}}"},"status":{"phase":"Active"}}""");
        string kubeconfig = $"{Box.Directory}/kubeconfig-local";
        site.Server.WriteKubeconfig(kubeconfig, new() { Server = $"{site.LocalServer}" });
        return new(network: null, NodeFactory.Node(1).Name, kubeconfig)
        {
            Program = build.Path,
            // As in the image, which has no certificate authorities.
            Wrapper = ["env", "SSL_CERT_FILE=/dev/null", "SSL_CERT_DIR=/dev/null"],
        };
    }

    // Bytes until the agent's last route is installed, and the agent, which has nothing left to do.
    private static async Task<(double Bytes, AgentProcess Agent)> StartAsync(Site site, Build build, string[] flags)
    {
        site.Reset();
        long before = AgentProcess.ReceivedBytesOn(site.Machine);
        using var news = new KernelNews(site.Machine, NETLINK_ROUTE, RTNLGRP_IPV4_ROUTE);
        Task<long> last = news.NextAsync(RouteNews.SetFirst(), site.Size - 1);
        AgentProcess agent = new(site, build, flags);
        try
        {
            await agent.AwaitAsync(last, "last route", Deadline);
            double bytes = AgentProcess.ReceivedBytesOn(site.Machine) - before;
            await agent.QuietAsync();
            return (bytes, agent);
        }
        catch
        {
            agent.Dispose();
            throw;
        }
    }

    // The milliseconds from each Node's creation to its route, and the bytes of one join. The nodes leave again, unmeasured.
    private static async Task<(List<double> Milliseconds, double Bytes)> JoinAsync(Site site, AgentProcess agent, int count)
    {
        using var news = new KernelNews(site.Machine, NETLINK_ROUTE, RTNLGRP_IPV4_ROUTE);
        List<double> times = [];
        int size = site.Size;
        long before = agent.ReceivedBytes;
        for (int number = size + 1; number <= size + count; number++)
        {
            NodeSpec node = Describe(number);
            NewsFilter route = RouteNews.Set(Prefix.Parse(node.PodCidrs[0]), Ip.Parse(node.InternalIPs[0]));
            times.Add(await Latencies.TimeAsync(agent, news, route, () => site.Server.Nodes.Put(node), "route to a node that joined"));
            await Task.Delay(PastAWrite);
        }
        double bytes = (agent.ReceivedBytes - before) / (double)count;
        Task<long> gone = news.NextAsync(RouteNews.Removed(Prefix.Parse(NodeFactory.Node(size + count).PodCidrs[0])));
        for (int number = size + 1; number <= size + count; number++)
            site.Server.Nodes.Delete(NodeFactory.Node(number).Name);
        await agent.AwaitAsync(gone, "removal of the last route", Deadline);
        await Task.Delay(PastAWrite);
        await agent.QuietAsync();
        return (times, bytes);
    }

    // What an hour brings in which all nodes report and nothing else happens.
    private static async Task<double> HourAsync(Site site, AgentProcess agent, TimeSpan length)
    {
        (long received, long start) = (agent.ReceivedBytes, Stopwatch.GetTimestamp());
        await Heartbeats.BeatAsync(site, length, static () => { });
        return (agent.ReceivedBytes - received) / Stopwatch.GetElapsedTime(start).TotalHours;
    }

    // MB/s that so many agents receive, of bytes that one of them receives in an hour.
    private static double OfAll(Site site, double hour) => hour * site.Size / 3600 / 1e6;

    private static double PssMB(int process) =>
        ProcText.KiB(File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/smaps_rollup")), "Pss") * 1024 / 1e6;
}
