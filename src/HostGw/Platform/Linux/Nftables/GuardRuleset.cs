using System.Collections.Immutable;
using HostGw.Planning;
using static HostGw.Platform.Linux.Nftables.NfTables;

namespace HostGw.Platform.Linux.Nftables;

/// <summary>
/// The table that `nft list table inet hostgw-guard` should show for a plan. Pure. Its regular chains are named after the guards; what
/// they drop they count.
/// </summary>
internal static class GuardRuleset
{
    public const string TableName = "hostgw-guard";

    private const string Port = "port", Translated = "translated", Relayed = "relayed", Outer = "outer", Vni = "vni", Inner = "inner";
    private const uint RTN_LOCAL = 2, RTN_ANYCAST = 4;

    // UDP header 8, then flags 1, reserved 2, next protocol 1: https://datatracker.ietf.org/doc/html/draft-ietf-nvo3-vxlan-gpe
    private const uint VniOffset = 12;

    private static readonly IpFamily V4 = new("4", TYPE_IPADDR, 4, NftFamily.IPv4, SourceOffset: 12, DestinationOffset: 16);
    private static readonly IpFamily V6 = new("6", TYPE_IP6ADDR, 16, NftFamily.IPv6, SourceOffset: 8, DestinationOffset: 24);
    private static readonly IpFamily[] Families = [V4, V6];

    /// <summary>The guards in the order in which packets pass them.</summary>
    public static ImmutableArray<string> Guards { get; } = [Port, Outer, Vni, Inner, Translated, Relayed];

    public static bool GuardsTunnel(NftTable table) => table.Chains.Any(c => c.Name == Inner);

    /// <summary>
    /// The chains and rules of one of the plans with a tunnel are all there; the elements of the sets may be others. Where none has a
    /// tunnel, after a restart, those of the tunnel that is there.
    /// </summary>
    public static bool AreIn(ImmutableArray<NftTable> observed, ReadOnlySpan<GuardPlan?> plans)
    {
        GuardPlan[] tunnels = [.. plans.ToArray().OfType<GuardPlan>().Where(p => p.Tunnel is not null)];
        return tunnels.Length == 0
            ? observed.Any(t => t.Flags == 0 && GuardsTunnel(t))
            : !observed.IsEmpty && tunnels.Any(p => TableDifference.Between([Of(p)], observed) is null);
    }

    public static NftTable Of(GuardPlan plan) => new(NftFamily.Inet, Flags: 0, Others: 0, Chains(plan), [.. Sets(plan, static _ => true)]);

    /// <summary>Of that table only these parts.</summary>
    public static NftTable Of(GuardPlan plan, GuardParts parts) => parts.Everything ? Of(plan) : new(
        NftFamily.Inet, Flags: 0, Others: 0, parts.Rules ? Chains(plan) : [], [.. Sets(plan, parts.Sets.Contains)]);

    private static ImmutableArray<NftChain> Chains(GuardPlan plan)
    {
        ImmutableArray<NftChain> chains =
            [Prerouting(plan), Arriving(plan, "input", NF_INET_LOCAL_IN), Arriving(plan, "forward", NF_INET_FORWARD), PortChain(plan)];
        return plan.Tunnel is { } tunnel
            ? [.. chains, TranslatedChain(), RelayedChain(), OuterChain(), VniChain(tunnel), InnerChain(), Output(plan, tunnel)]
            : chains;
    }

    // Each may have thousands of elements.
    private static IEnumerable<NftSet> Sets(GuardPlan plan, Func<string, bool> isWanted) => plan.Tunnel is not { } tunnel ? []
        : [.. Sets("nodes", tunnel.Nodes, isWanted), .. Sets("own", tunnel.Own, isWanted), .. Sets("peers", tunnel.Peers, isWanted)];

    // Raw: before connection tracking, so that what is dropped leaves no entry, and before the destination of an answer is translated
    // back to a pod's.
    private static NftChain Prerouting(GuardPlan plan) => new("prerouting", "filter", NF_INET_PRE_ROUTING, NF_IP_PRI_RAW, NF_ACCEPT,
    [
        .. plan.Ports.Select(p => NftRule.Of(new NftExpressions().IsUdpTo(p).Decide(NftVerdict.Jump, Port))),
        .. plan.Tunnel is { } tunnel
            ? (NftRule[])
            [
                NftRule.Of(new NftExpressions().IsUdpTo(tunnel.Port).Decide(NftVerdict.Jump, Outer)),
                NftRule.Of(new NftExpressions().ComesFrom(TunnelPlan.LinkName).Decide(NftVerdict.Jump, Inner)),
                // Whatever somebody names the link.
                NftRule.Of(new NftExpressions().ComesFromGroup(TunnelPlan.LinkGroup).Decide(NftVerdict.Jump, Inner)),
            ]
            : [],
    ]);

    // After the destination was translated: a Service or a host's port may lead to these ports of a node, and the masquerade rule gives
    // such a datagram this node's name.
    private static NftChain Arriving(GuardPlan plan, string name, uint hook) => new(name, "filter", hook, NF_IP_PRI_RAW, NF_ACCEPT,
    [
        .. from port in plan.Ports
           from guard in plan.Tunnel is null ? (string[])[Port] : [Translated, Port]
           select NftRule.Of(new NftExpressions().IsUdpTo(port).Decide(NftVerdict.Jump, guard)),
    ]);

    // Also one that came by an uplink: of somebody outside who uses a port of this node.
    private static NftChain TranslatedChain() =>
        Chain(Translated, [new NftExpressions().IsTranslated().Count().Decide(NftVerdict.Drop)]);

    // IPVS sends on what it has translated as if it were this host's, and keeps the source. Where the pods' bridge holds the podCIDR, the
    // IPv6 probe address is an anycast one.
    private static NftChain RelayedChain() => Chain(Relayed,
    [
        .. from type in (uint[])[RTN_LOCAL, RTN_ANYCAST] select new NftExpressions().SourceTypeIs(type).Decide(NftVerdict.Return),
        Drop(),
    ]);

    // lo is no uplink: whoever sends from this host to itself has no business at these ports.
    private static NftChain PortChain(GuardPlan plan) => Chain(Port,
    [
        .. plan.Uplinks.Concat(plan.Tunnel is null ? [] : [TunnelPlan.LinkName])
            .Select(u => new NftExpressions().ComesFrom(u).Decide(NftVerdict.Return)),
        Drop(),
    ]);

    private static NftChain OuterChain() => Chain(Outer,
    [
        .. Families.Select(f => new NftExpressions().PacketIs(f.Family).Source(f, "nodes").Decide(NftVerdict.Goto, Vni)),
        Drop(),
    ]);

    // What matches is accepted, not what differs dropped: a fragment that is too short to have a VNI matches nothing.
    private static NftChain VniChain(TunnelGuard tunnel) => Chain(Vni,
    [
        new NftExpressions().TransportHolds(VniOffset, [(byte)(tunnel.Vni >> 16), (byte)(tunnel.Vni >> 8), (byte)tunnel.Vni])
            .NoTrack().Decide(NftVerdict.Return),
        Drop(),
    ]);

    private static NftChain InnerChain() => Chain(Inner,
    [
        new NftExpressions().SourceTypeIs(RTN_LOCAL).Count().Decide(NftVerdict.Drop),
        .. Families.Select(f => new NftExpressions().PacketIs(f.Family).Source(f, "own").Count().Decide(NftVerdict.Drop)),
        .. from family in Families
            from sources in (string[])["peers", "nodes"]
            select new NftExpressions().PacketIs(family.Family).Source(family, sources)
                .Address(family.DestinationOffset, family.Length, family.Set("own"), isIn: true).Decide(NftVerdict.Accept),
        Drop(),
    ]);

    // Every flow inside has another source port outside: without this each would leave an entry of connection tracking.
    private static NftChain Output(GuardPlan plan, TunnelGuard tunnel) =>
        new("output", "filter", NF_INET_LOCAL_OUT, NF_IP_PRI_RAW, NF_ACCEPT,
        [
            .. plan.Ports.Select(p => NftRule.Of(new NftExpressions().IsUdpTo(p).Decide(NftVerdict.Jump, Relayed))),
            NftRule.Of(new NftExpressions().IsUdpTo(tunnel.Port).NoTrack()),
        ]);

    private static NftChain Chain(string name, IEnumerable<NftExpressions> rules) =>
        new(name, "", 0, 0, 0, [.. rules.Select(NftRule.Of)]);

    private static NftExpressions Drop() => new NftExpressions().Count().Decide(NftVerdict.Drop);

    private static NftExpressions Source(this NftExpressions rule, IpFamily family, string set) =>
        rule.Address(family.SourceOffset, family.Length, family.Set(set), isIn: true);

    private static IEnumerable<NftSet> Sets(string name, ImmutableArray<Prefix> prefixes, Func<string, bool> isWanted) =>
        from family in Families
        where isWanted(family.Set(name))
        select new NftSet(
            family.Set(name), family.KeyType, family.Length, NFT_SET_INTERVAL,
            [.. prefixes.Where(p => p.IsIPv4 == (family == V4)).Select(AddressRange.Of)]);

    private sealed record IpFamily(
        string Suffix, uint KeyType, uint Length, NftFamily Family, uint SourceOffset, uint DestinationOffset)
    {
        public string Set(string name) => name + Suffix;
    }
}
