using System.Runtime.Versioning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux;

/// <summary>Turns the kernel's announcements into wake-ups.</summary>
[SupportedOSPlatform("linux")]
internal static class LinuxWatch
{
    private const int NFNLGRP_NFTABLES = 7;

    // A v4 route vanishes with its link, last address or nexthop object without a word; NETCONF tells of forwarding.
    private static readonly int[] RouteGroups =
    [
        RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_ROUTE,
        RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF, RTNLGRP_NEXTHOP,
    ];

    private delegate WakeCauses Judge(ReadOnlySpan<byte> datagram);

    /// <exception cref="NetlinkException">The kernel forbids a socket.</exception>
    public static async Task RunAsync(RouteNews news, RuleNews ruleNews, Action<WakeCauses> wake, CancellationToken cancellationToken)
    {
        using var routes = new NetlinkSubscription(NETLINK_ROUTE, RouteGroups, exceptPort: news.OwnPort);
        // A kernel without netfilter has nothing to announce.
        using NetlinkSubscription? nat = NetlinkSubscription.TryOpen(NfTables.NETLINK_NETFILTER, [NFNLGRP_NFTABLES]);
        // What changed between an earlier pass and this moment was announced to nobody.
        wake(WakeCauses.Start);

        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        List<Task> listening = [ListenAsync(routes, news.Read, news.ReadOverrun, wake, end.Token)];
        if (nat is not null)
            listening.Add(ListenAsync(nat, ruleNews.Read, () => WakeCauses.Overrun, wake, end.Token));

        // None ends but by failing: it must not go unnoticed because the other goes on.
        Task ended = await Task.WhenAny(listening);
        await end.CancelAsync();
        await Task.WhenAll(listening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await ended;
    }

    private static async Task ListenAsync(
        NetlinkSubscription subscription, Judge judge, Func<WakeCauses> judgeOverrun, Action<WakeCauses> wake, CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadOnlyMemory<byte>? datagram = await subscription.ReceiveAsync(cancellationToken);
            WakeCauses causes = datagram is { } received ? judge(received.Span) : judgeOverrun();
            if (causes != WakeCauses.None)
                wake(causes);
        }
    }
}
