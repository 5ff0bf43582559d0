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

    public static async Task<Figure> MeasureAsync(Site site, Build build, AgentProcess agent, int samples)
    {
        using var news = new KernelNews(site.Machine, NETLINK_NETFILTER, NFNLGRP_NFTABLES);
        Samples restored = new(Enumerable.Range(0, FloorSamples).Select(_ => Floor.RestoreNat(site).TotalMilliseconds));
        List<double> repairs = [];
        for (int i = 0; i < samples; i++)
        {
            await Task.Delay(Latencies.Pause);
            Task<long> gone = news.NextAsync(IsAbout(NFT_MSG_DELTABLE)), stands = news.NextAsync(IsAbout(NFT_MSG_NEWRULE));
            site.Machine.Exec("nft", "delete", "table", "inet", MasqueradeRuleset.TableName);
            long from = await agent.AwaitAsync(gone, "announcement that the table is gone");
            repairs.Add(Stopwatch.GetElapsedTime(from, await agent.AwaitAsync(stands, "masquerade rule again")).TotalMilliseconds);
        }
        return new(Names.NatDeleted, "ms", new(repairs)) { Build = build.Name, Size = site.Size, Peers = [new("nft -f", restored.Median)] };
    }

    private static NewsFilter IsAbout(byte message) => (type, payload) => (byte)type == message && NftNotification.Concerns(type, payload);
}
