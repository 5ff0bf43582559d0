using System.Diagnostics;
using HostGw.Benchmarks.Figures;
using HostGw.Platform.Linux.Nftables;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Benchmarks.Whole;

/// <summary>How soon the masquerade rule stands again after its table was deleted, both as the kernel announced them.</summary>
internal static class NatRepair
{
    private const int NFNLGRP_NFTABLES = 7;
    private const int FloorSamples = 9;

    // More would be slowed down: somebody keeps undoing the rule.
    private const int PerLife = 5;

    /// <param name="lives">Of the agent, with a few samples in each.</param>
    public static async Task<Figure> MeasureAsync(Site site, Build build, int lives)
    {
        Samples restored = new(Enumerable.Range(0, FloorSamples).Select(_ => Floor.RestoreNat(site).TotalMilliseconds));
        List<double> repairs = [];
        for (int life = 0; life < lives; life++)
        {
            site.Reset();
            using AgentProcess agent = await ColdStart.StartedAsync(site, build);
            await agent.QuietAsync();
            await RepairAsync(site, agent, repairs);
        }
        return new(Names.NatDeleted, "ms", new(repairs)) { Build = build.Name, Size = site.Size, Peers = [new("nft -f", restored.Median)] };
    }

    private static async Task RepairAsync(Site site, AgentProcess agent, List<double> repairs)
    {
        using var news = new KernelNews(site.Machine, NETLINK_NETFILTER, NFNLGRP_NFTABLES);
        for (int i = 0; i < PerLife; i++)
        {
            await Task.Delay(Latencies.Pause);
            Task<long> gone = news.NextAsync(IsAbout(NFT_MSG_DELTABLE)), stands = news.NextAsync(IsAbout(NFT_MSG_NEWRULE));
            site.Machine.Exec("nft", "delete", "table", "inet", MasqueradeRuleset.TableName);
            long from = await agent.AwaitAsync(gone, "announcement that the table is gone");
            repairs.Add(Stopwatch.GetElapsedTime(from, await agent.AwaitAsync(stands, "masquerade rule again")).TotalMilliseconds);
        }
    }

    private static NewsFilter IsAbout(byte message) => (type, payload) => (byte)type == message && NftNotification.Concerns(type, payload);
}
