using System.Diagnostics;
using HostGw.Benchmarks.Figures;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Iptables;
using HostGw.Platform.Linux.Nftables;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Benchmarks.Whole;

/// <summary>How soon the masquerade rule stands again in iptables after its chain was flushed.</summary>
/// <remarks>iptables-nft is announced by the kernel. iptables-legacy is not: the figure is the time of the pass that finds it, up to resyncSeconds later.</remarks>
internal static class IptablesRepair
{
    private const int NFNLGRP_NFTABLES = 7;

    // More would be slowed down: somebody keeps undoing the rule.
    private const int Samples = 5;

    private static readonly TimeSpan Resync = TimeSpan.FromSeconds(5);

    public static async Task<IReadOnlyList<Figure>> MeasureAsync(Site site, Build build) =>
    [
        await MeasureAsync(site, build, "nft", Names.IptablesNftFlushed, NftAsync),
        await MeasureAsync(site, build, "legacy", Names.IptablesLegacyFlushed, LegacyAsync),
    ];

    private static async Task<Figure> MeasureAsync(Site site, Build build, string flavour, string name, Func<Site, AgentProcess, Task<double>> repairAsync)
    {
        site.Reset();
        List<double> repairs = [];
        using (AgentProcess agent = new(site, build, "--nat-backend", "iptables", "--nat-iptables", flavour, "--resync-seconds", $"{Resync.TotalSeconds:0}"))
        {
            await agent.AwaitAsync(StandsAsync(site, flavour), "masquerade rule");
            await Task.Delay(Latencies.Pause);
            for (int i = 0; i < Samples; i++)
                repairs.Add(await repairAsync(site, agent));
        }
        site.Machine.Exec("sh", "-c", $"for p in iptables ip6tables; do $p-{flavour} -w -t nat -F; $p-{flavour} -w -t nat -X; done");
        return new(name, "ms", new(repairs)) { Build = build.Name, Size = site.Size };
    }

    private static async Task<double> NftAsync(Site site, AgentProcess agent)
    {
        using var news = new KernelNews(site.Machine, NETLINK_NETFILTER, NFNLGRP_NFTABLES);
        Task<long> gone = news.NextAsync(IsAbout(NFT_MSG_DELRULE)), stands = news.NextAsync(IsAbout(NFT_MSG_NEWRULE));
        Flush(site, "nft");
        long from = await agent.AwaitAsync(gone, "announcement that the rule is gone");
        double took = Stopwatch.GetElapsedTime(from, await agent.AwaitAsync(stands, "masquerade rule again")).TotalMilliseconds;
        await Task.Delay(TimeSpan.FromSeconds(1));
        return took;
    }

    private static async Task<double> LegacyAsync(Site site, AgentProcess agent)
    {
        Flush(site, "legacy");
        await agent.AwaitAsync(StandsAsync(site, "legacy"), "masquerade rule again");
        await Task.Delay(TimeSpan.FromSeconds(1));
        return await agent.LastPassMillisecondsAsync();
    }

    private static void Flush(Site site, string flavour) => site.Machine.Exec($"iptables-{flavour}", "-w", "-t", "nat", "-F", OwnChain.Masquerade.Name);

    private static async Task<bool> StandsAsync(Site site, string flavour)
    {
        while (!site.Machine.Exec($"iptables-{flavour}-save", "-t", "nat").Contains($"-A {OwnChain.Masquerade.Name}", StringComparison.Ordinal))
            await Task.Delay(TimeSpan.FromMilliseconds(100));
        return true;
    }

    private static NewsFilter IsAbout(byte message) => (type, payload) => (byte)type == message && RuleNotifications.Concerns(type, payload);
}
