using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;
using HostGw.Platform.Linux.Rtnetlink;
using static HostGw.Platform.Linux.Nftables.NfTables;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux;

/// <summary>Wakes a pass when the kernel announces a change that may matter.</summary>
[SupportedOSPlatform("linux")]
internal static class LinuxWatch
{
    // The kernel announces no deletion of IPv4 routes that go with their link, last address or nexthop object, so these are
    // watched as well. NETCONF announces forwarding.
    private static readonly int[] RouteGroups =
    [
        RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_ROUTE,
        RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF, RTNLGRP_NEXTHOP, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE,
        RTNLGRP_TUNNEL,
    ];

    private delegate WakeCauses DatagramReader(ReadOnlySpan<byte> datagram);

    /// <exception cref="NetlinkException">The kernel forbids a socket.</exception>
    public static async Task RunAsync(
        RouteNotifications routes, RuleNotifications rules, Action<WakeCauses> wake, CancellationToken cancellationToken)
    {
        using var routeSocket = new NetlinkSubscription(NETLINK_ROUTE, RouteGroups, exceptPort: routes.OwnPort);
        // A kernel without netfilter announces no rules.
        using NetlinkSubscription? ruleSocket = NetlinkSubscription.TryOpen(NETLINK_NETFILTER, [NFNLGRP_NFTABLES]);
        // Changes between an earlier pass and this moment were not received.
        wake(WakeCauses.Start);
        routes.Wake = wake;

        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        List<Task> listening = [ListenAsync(routeSocket, routes.Read, routes.ReadOverrun, wake, end.Token)];
        if (ruleSocket is not null)
            listening.Add(ListenAsync(ruleSocket, rules.Read, static () => WakeCauses.Overrun, wake, end.Token));

        // Each only ends by a failure, which must not go unnoticed while the other continues.
        Task ended = await Task.WhenAny(listening);
        await end.CancelAsync();
        await Task.WhenAll(listening).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await ended;
    }

    private static async Task ListenAsync(
        NetlinkSubscription subscription, DatagramReader read, Func<WakeCauses> readOverrun, Action<WakeCauses> wake,
        CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadOnlyMemory<byte>? datagram = await subscription.ReceiveAsync(cancellationToken);
            WakeCauses causes = datagram is { } received ? read(received.Span) : readOverrun();
            if (causes != WakeCauses.None)
                wake(causes);
        }
    }
}

/// <summary>Decides which notifications of rtnetlink wake a pass. The pass itself decides by what it reads.</summary>
/// <param name="ownPort">The netlink port of HostGw's own changes.</param>
internal sealed class RouteNotifications(byte routeProtocol, uint ownPort, TimeProvider time)
{
    private readonly RouteDecoder _decoder = new(routeProtocol);
    private readonly Dictionary<int, HostInterface> _links = [];
    private readonly HashSet<HostAddress> _addresses = [];
    private readonly OtherTables _otherTables = new(time);

    // Of the plan and what is compared with it.
    private readonly Lock _lock = new();
    private TunnelLink? _tunnel;
    private Plan _plan = new();
    private bool _hasPassedOver;

    public uint OwnPort => ownPort;

    /// <summary>Receives what wakes a pass later than it was announced.</summary>
    public Action<WakeCauses> Wake
    {
        get => _otherTables.Wake;
        set => _otherTables.Wake = value;
    }

    /// <summary>A pass begins to read the host: what is announced from now on it may have missed.</summary>
    public void BeginRead()
    {
        lock (_lock)
            _hasPassedOver = false;
    }

    /// <summary>
    /// Sets the plan of the latest pass: a foreign route to one of its destinations or probe addresses, or inside a peer's, wakes a pass.
    /// So does any route of a table to which a policy rule may lead pods' packets, and whatever did not matter to the plan before and
    /// came since this pass began to read the host.
    /// </summary>
    public void SetPlan(Plan plan, ImmutableArray<PolicyRule> rules)
    {
        lock (_lock)
        {
            bool isOther = _otherTables.Set(rules) | !ReferenceEquals(plan, _plan);
            _plan = plan;
            if (!isOther || !_hasPassedOver)
                return;
        }
        Wake(WakeCauses.Routes);
    }

    public WakeCauses Read(ReadOnlySpan<byte> datagram)
    {
        WakeCauses causes = WakeCauses.None;
        var messages = new NetlinkMessages(datagram);
        lock (_lock)
        {
            while (messages.Next())
            {
                if (messages.Header.PortId != ownPort)
                    causes |= Read(messages.Header.Type, messages.Payload);
                // Remembered: what another program does to it next is a change, even if it was so before.
                else if (messages.Header.Type < RTM_NEWROUTE)
                    Read(messages.Header.Type, messages.Payload);
            }
        }
        return causes;
    }

    /// <summary>Notifications were lost: the remembered links and addresses may be out of date.</summary>
    public WakeCauses ReadOverrun()
    {
        _links.Clear();
        _addresses.Clear();
        _tunnel = null;
        return WakeCauses.Overrun;
    }

    private WakeCauses Read(ushort type, ReadOnlySpan<byte> payload) => type switch
    {
        RTM_NEWROUTE or RTM_DELROUTE => UnlessPassedOver(ReadRoute(payload, isGone: type == RTM_DELROUTE)),
        RTM_NEWLINK or RTM_DELLINK => IsNewLinkState(type, payload) ? WakeCauses.Links : WakeCauses.None,
        RTM_NEWADDR or RTM_DELADDR => IsNewAddress(type, payload) ? WakeCauses.Addresses : WakeCauses.None,
        RTM_NEWRULE or RTM_DELRULE => WakeCauses.PolicyRules,
        RTM_NEWNETCONF => WakeCauses.Forwarding,
        RTM_NEWNEXTHOP or RTM_DELNEXTHOP => WakeCauses.Routes,
        RTM_NEWTUNNEL or RTM_DELTUNNEL => UnlessPassedOver(IsOfTunnel(payload) ? WakeCauses.Links : WakeCauses.None),
        _ => WakeCauses.None,
    };

    private WakeCauses UnlessPassedOver(WakeCauses causes)
    {
        _hasPassedOver |= causes == WakeCauses.None;
        return causes;
    }

    private WakeCauses ReadRoute(ReadOnlySpan<byte> payload, bool isGone) =>
        LocalRouteMessages.Concerns(payload, _plan.ProbeAddresses.AsSpan(), routeProtocol) || MayMatter(payload, isGone)
            ? WakeCauses.Routes : _otherTables.Read(payload);

    private bool MayMatter(ReadOnlySpan<byte> payload, bool isGone)
    {
        bool isRoute = _decoder.TryDecode(payload, AF_UNSPEC, out HostRoute route);
        bool isSourceRoute = _decoder.SourceRoutes.Count > 0;
        _decoder.Gateways.Clear();
        _decoder.MultipathInterfaces.Clear();
        _decoder.TunnelNodes.Clear();
        _decoder.SourceRoutes.Clear();
        return isSourceRoute || (isRoute && MayMatter(route, _plan, isGone));
    }

    // Two routes to half of all addresses are a VPN's default route. One to own pods may also make an interface one of pods, whose
    // settings a pass then checks.
    private static bool MayMatter(HostRoute route, Plan plan, bool isGone) =>
        route.IsOurs || route.Destination.Length <= 1 || plan.Wants(route.Destination) ||
        plan.PeerRouteOver(route.Destination) is not null || plan.IsOfOwnPods(route.Destination) || MayMoveNextHop(route, plan, isGone);

    // A connected route may come back, or come later than the pass that its address wakes. Each new interface has one for fe80::/64.
    private static bool MayMoveNextHop(HostRoute route, Plan plan, bool isGone) =>
        !(route.IsConnected && route.Destination.Address.IsIPv6LinkLocal) && plan.OnLink.MayChange(route, isGone);

    // The kernel also sends RTM_NEWLINK for changes that do not matter here, such as statistics.
    private bool IsNewLinkState(ushort type, ReadOnlySpan<byte> payload)
    {
        if (!LinkMessages.TryDecodeLink(payload, out HostInterface? link))
            return false;
        if (type == RTM_DELLINK)
        {
            _links.Remove(link!.Index);
            return true;
        }

        bool known = _links.TryGetValue(link!.Index, out HostInterface? before) && before == link;
        _links[link.Index] = link;
        if (link.IsTunnel && TunnelMessages.TryDecodeLink(payload, out TunnelLink? tunnel))
        {
            known &= tunnel == _tunnel;
            _tunnel = tunnel;
        }
        return !known;
    }

    // Other links may let in thousands of VNIs.
    private bool IsOfTunnel(ReadOnlySpan<byte> payload)
    {
        if (_plan is not { Tunnel: not null } plan)
            return false;
        int index = TunnelMessages.LinkOf(payload);
        // One that is not known is new.
        HostInterface? link = _links.GetValueOrDefault(index) ?? plan.Interfaces.FirstOrDefault(i => i.Index == index);
        return link is null or { IsTunnel: true };
    }

    // Every router advertisement and every DHCP renewal announces the address again, with a new lifetime.
    private bool IsNewAddress(ushort type, ReadOnlySpan<byte> payload)
    {
        if (!LinkMessages.TryDecodeAddress(payload, out HostAddress address))
            return false;
        // That duplicate address detection has failed is announced by the address with another flag.
        _addresses.Remove(address with { IsDuplicate = !address.IsDuplicate });
        if (type == RTM_NEWADDR)
            return _addresses.Add(address);

        _addresses.Remove(address);
        return true;
    }
}

/// <summary>
/// The tables to which other programs' policy rules lead: their routes decide whether packets take HostGw's. A routing daemon may change
/// one thousands of times a minute, so that one pass in five seconds is woken.
/// </summary>
internal sealed class OtherTables(TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private volatile uint[] _tables = [];
    private volatile bool _areAll;
    private volatile bool _waits;
    private long? _wokenAt;
    private ITimer? _timer;

    public Action<WakeCauses> Wake { get; set; } = static _ => { };

    /// <returns>Whether they lead to other tables than before.</returns>
    public bool Set(ImmutableArray<PolicyRule> rules)
    {
        bool wereAll = _areAll;
        _areAll = rules.Any(r => r is { IsVrf: true, IsUndecidable: false });
        if (rules.IsEmpty && _tables.Length == 0)
            return wereAll;
        uint[] before = _tables;
        _tables = [.. rules.Where(LeadsElsewhere).Select(r => r.Table).Distinct()];
        return wereAll != _areAll || !_tables.AsSpan().SequenceEqual(before);
    }

    /// <param name="payload">Of RTM_NEWROUTE or RTM_DELROUTE.</param>
    public WakeCauses Read(ReadOnlySpan<byte> payload)
    {
        if ((_tables.Length == 0 && !_areAll) || _waits || !MemoryMarshal.TryRead(payload, out rtmsg header) ||
            header.rtm_table is RT_TABLE_MAIN or (byte)RoutingTables.Local || !IsAsked(TableOf(header, payload)))
            return WakeCauses.None;
        TimeSpan left = _wokenAt is { } at ? Pause - time.GetElapsedTime(at) : TimeSpan.Zero;
        if (left <= TimeSpan.Zero)
        {
            _wokenAt = time.GetTimestamp();
            return WakeCauses.PolicyRules;
        }
        _waits = true;
        _timer?.Dispose();
        _timer = time.CreateTimer(_ => WakeNow(), null, left, Timeout.InfiniteTimeSpan);
        return WakeCauses.None;
    }

    private void WakeNow()
    {
        _wokenAt = time.GetTimestamp();
        _waits = false;
        Wake(WakeCauses.PolicyRules);
    }

    // The rule of VRFs names no table: the kernel takes that of the packet's VRF.
    private bool IsAsked(uint table) => _areAll || _tables.Contains(table);

    // Rules on marks and users are not judged.
    private static bool LeadsElsewhere(PolicyRule rule) =>
        rule is { IsDefault: false, IsOurs: false, IsUndecidable: false, Action: PolicyRuleAction.Lookup } &&
        rule.Table is not (RoutingTables.Main or RoutingTables.Local);

    // The field of the header has room for small numbers only.
    private static uint TableOf(rtmsg header, ReadOnlySpan<byte> payload) =>
        NetlinkAttributes.Find(payload[Unsafe.SizeOf<rtmsg>()..], RTA_TABLE) is { Length: sizeof(uint) } table
            ? MemoryMarshal.Read<uint>(table) : header.rtm_table;
}
