using System.Diagnostics;
using HostGw.Benchmarks.Figures;
using HostGw.Planning;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Nftables;
using HostGw.Platform.Linux.Rtnetlink;
using static HostGw.Platform.Linux.Nftables.NfTables;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Benchmarks.Whole;

/// <summary>
/// How soon stands again what somebody takes away of tunnel, guards and policy rule: from the kernel's announcement that it is gone to that
/// of the last thing that comes back.
/// </summary>
internal sealed class TunnelRepair
{
    private const int NFNLGRP_NFTABLES = 7;
    private const string Down = $"link set {TunnelSite.Link} down";

    // More would be slowed down: somebody keeps undoing it.
    private const int PerLife = 5;

    // After a change of rules the agent also searches those of others.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300);

    private static readonly int[] LinkGroups = [RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV4_RULE];
    private static readonly RouteDecoder Decoder = new(Site.Protocol);

    private readonly Site _site;
    private readonly Build _build;
    private readonly Damage[] _ofTunnel, _ofGuards;
    private readonly Damage _ofPolicy;
    private int _count;

    private TunnelRepair(Site site, Build build, int lives)
    {
        (_site, _build) = (site, build);
        const string link = TunnelSite.Link, guards = GuardRuleset.TableName;
        int all = lives * PerLife, third = (all + 2) / 3;
        Damage OfTunnel(string name, string command, NewsFilter gone) => new(Samples(third), name, command, gone, IsTunnelled);
        Damage OfGuards(string name, string command, byte gone, byte back) =>
            new(Samples(third), name, command, IsOfGuards(gone), IsOfGuards(back));
        _ofTunnel =
        [
            OfTunnel(Names.TunnelDeleted, $"link del {link}", (type, payload) => type == RTM_DELLINK && Link(payload) is not null),
            OfTunnel(Names.TunnelDown, Down, IsDown),
            OfTunnel(Names.TunnelSourceDeleted, $"address del {TunnelSite.Source}/32 dev {link}", IsSourceGone),
        ];
        string peer = $"nodes4 {{ {Site.Describe(3).InternalIPs[0]} }}";
        _ofGuards =
        [
            OfGuards(Names.GuardElementDeleted, $"delete element inet {guards} {peer}", NFT_MSG_DELSETELEM, NFT_MSG_NEWSETELEM),
            OfGuards(Names.GuardRuleDeleted, $"flush chain inet {guards} inner", NFT_MSG_DELRULE, NFT_MSG_NEWRULE),
            OfGuards(Names.GuardTableDeleted, $"delete table inet {guards}", NFT_MSG_DELTABLE, NFT_MSG_NEWRULE),
        ];
        _ofPolicy = new(Samples(all), Names.PolicyRuleDeleted, "rule del to 10.0.0.0/8 lookup main",
            (type, _) => type == RTM_DELRULE, (type, _) => type == RTM_NEWRULE);
    }

    private IEnumerable<Damage> All => [.. _ofTunnel, .. _ofGuards, _ofPolicy];

    /// <param name="lives">Of the agent, with a few samples in each.</param>
    public static async Task<IReadOnlyList<Figure>> MeasureAsync(Site site, Build build, int lives)
    {
        TunnelRepair repair = new(site, build, lives);
        while (!repair.All.All(d => d.Samples.IsComplete))
        {
            TunnelSite.Prepare(site);
            using AgentProcess agent = await repair.StartAsync(TunnelSite.Flags);
            await repair.LiveAsync(agent);
        }
        Figure whole = await repair.MeasureWholeAsync();
        site.Reset();
        return [.. repair.All.Select(d => d.Samples.Of(d.Name, site, build)), whole];
    }

    // With all peers in the tunnel.
    private async Task<Figure> MeasureWholeAsync()
    {
        Damage down = new(new(PerLife, PerLife), Names.TunnelDownWhole, Down, IsDown, IsTunnelled);
        _site.Reset();
        using AgentProcess agent = await StartAsync(TunnelSite.WholeFlags);
        using KernelNews links = new(_site.Machine, NETLINK_ROUTE, LinkGroups);
        int routes = TunnelSite.CountRoutes(_site);
        for (int i = 0; i < PerLife; i++)
            await TakeAsync(agent, links, down, routes, () => _site.Machine.Configure([Down]));
        return down.Samples.Of(down.Name, _site, _build) with { Peers = [new("routes", routes)] };
    }

    private async Task<AgentProcess> StartAsync(string[] flags)
    {
        using KernelNews news = new(_site.Machine, NETLINK_ROUTE, RTNLGRP_IPV4_ROUTE);
        // To every peer's pods, or to the addresses by which the probes compare both ways.
        Task<long> last = news.NextAsync(RouteNews.SetFirst(), _site.Size - 1);
        AgentProcess agent = new(_site, _build, flags);
        try
        {
            await agent.AwaitAsync(last, "last route");
            await agent.QuietAsync();
            return agent;
        }
        catch
        {
            agent.Dispose();
            throw;
        }
    }

    private async Task LiveAsync(AgentProcess agent)
    {
        using KernelNews links = new(_site.Machine, NETLINK_ROUTE, LinkGroups);
        using KernelNews rules = new(_site.Machine, NETLINK_NETFILTER, NFNLGRP_NFTABLES);
        // It goes on running: where such a program ends at once, the kernel lets nobody write rules for some time (NatRepair).
        using Process nft = _site.Start(new("nft", ["-i"]) { RedirectStandardInput = true, RedirectStandardOutput = true });
        int routes = TunnelSite.CountRoutes(_site);
        for (int i = 0; i < PerLife; i++, _count++)
        {
            Damage tunnel = _ofTunnel[_count % _ofTunnel.Length], guards = _ofGuards[_count % _ofGuards.Length];
            await TakeAsync(agent, links, tunnel, routes, () => _site.Machine.Configure([tunnel.Command]));
            await TakeAsync(agent, rules, guards, 1, () => Tell(nft, guards.Command));
            await TakeAsync(agent, links, _ofPolicy, 1, () => _site.Machine.Configure([_ofPolicy.Command]));
        }
        Tell(nft, "quit");
    }

    /// <param name="times">How many announcements of what comes back there are.</param>
    private static async Task TakeAsync(AgentProcess agent, KernelNews news, Damage damage, int times, Action harm)
    {
        await Task.Delay(Pause);
        await damage.Samples.TakeAsync(async () =>
        {
            Task<long> gone = news.NextAsync(damage.Gone), back = news.NextAsync(damage.Back, times);
            harm();
            long from = await agent.AwaitAsync(gone, $"announcement: {damage.Command}");
            return Stopwatch.GetElapsedTime(from, await agent.AwaitAsync(back, $"repair: {damage.Name}")).TotalMilliseconds;
        });
    }

    private static SteadySamples Samples(int wanted) => new(wanted, Latencies.Attempts * wanted);

    private static HostInterface? Link(ReadOnlySpan<byte> payload) =>
        LinkMessages.TryDecodeLink(payload, out HostInterface? link) && link!.Name == TunnelSite.Link ? link : null;

    private static bool IsDown(ushort type, ReadOnlySpan<byte> payload) => type == RTM_NEWLINK && Link(payload) is { IsUp: false };

    private static bool IsSourceGone(ushort type, ReadOnlySpan<byte> payload) =>
        type == RTM_DELADDR && LinkMessages.TryDecodeAddress(payload, out HostAddress address) && address.Address == TunnelSite.Source;

    private static bool IsTunnelled(ushort type, ReadOnlySpan<byte> payload) =>
        type == RTM_NEWROUTE && Decoder.TryDecode(payload, AF_INET, out HostRoute route) && route is { IsOurs: true, Tunnel: not null };

    private static NewsFilter IsOfGuards(byte message) =>
        (type, payload) => (byte)type == message && RuleNotifications.Concerns(type, payload);

    private static void Tell(Process nft, string command)
    {
        nft.StandardInput.WriteLine(command);
        nft.StandardInput.Flush();
    }

    /// <param name="Command">Of ip or nft.</param>
    private sealed record Damage(SteadySamples Samples, string Name, string Command, NewsFilter Gone, NewsFilter Back);
}
