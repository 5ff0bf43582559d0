using System.Diagnostics;
using HostGw.Benchmarks.Figures;
using HostGw.Platform.Linux;
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

    // After a gap the agent goes through all tracked connections: no part of what is asked either.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    private static readonly string[] Delete = ["delete", "table", "inet", MasqueradeRuleset.TableName];

    /// <param name="lives">Of the agent, with a few samples in each; half of them for each way of deleting.</param>
    public static async Task<IReadOnlyList<Figure>> MeasureAsync(Site site, Build build, int lives)
    {
        Samples restored = new(Enumerable.Range(0, FloorSamples).Select(_ => Floor.RestoreNat(site).TotalMilliseconds));
        int wanted = lives / 2 * PerLife;
        SteadySamples repairs = new(wanted, Latencies.Attempts * wanted), afterEnd = new(wanted, Latencies.Attempts * wanted);
        while (!repairs.IsComplete)
        {
            using Process nft = site.Start(new("nft", ["-i"]) { RedirectStandardInput = true, RedirectStandardOutput = true });
            await LiveAsync(site, build, () => Tell(nft, string.Join(' ', Delete)), repairs);
            Tell(nft, "quit");
            await LiveAsync(site, build, () => site.Machine.Exec("nft", Delete), afterEnd);
        }
        Figure BesideNft(Figure figure) => figure with { Peers = [new("nft -f", restored.Median), .. figure.Peers] };
        return [BesideNft(repairs.Of(Names.NatDeleted, site, build)), BesideNft(afterEnd.Of(Names.NatDeletedByEnding, site, build))];
    }

    private static async Task LiveAsync(Site site, Build build, Action delete, SteadySamples repairs)
    {
        site.Reset();
        using AgentProcess agent = await ColdStart.StartedAsync(site, build);
        await agent.QuietAsync();
        using var news = new KernelNews(site.Machine, NETLINK_NETFILTER, NFNLGRP_NFTABLES);
        for (int i = 0; i < PerLife; i++)
        {
            await Task.Delay(Pause);
            await repairs.TakeAsync(() => RepairAsync(agent, news, delete));
        }
    }

    private static async Task<double> RepairAsync(AgentProcess agent, KernelNews news, Action delete)
    {
        Task<long> gone = news.NextAsync(IsAbout(NFT_MSG_DELTABLE)), stands = news.NextAsync(IsAbout(NFT_MSG_NEWRULE));
        delete();
        long from = await agent.AwaitAsync(gone, "announcement that the table is gone");
        return Stopwatch.GetElapsedTime(from, await agent.AwaitAsync(stands, "masquerade rule again")).TotalMilliseconds;
    }

    private static void Tell(Process nft, string command)
    {
        nft.StandardInput.WriteLine(command);
        nft.StandardInput.Flush();
    }

    private static NewsFilter IsAbout(byte message) => (type, payload) => (byte)type == message && RuleNotifications.Concerns(type, payload);
}
