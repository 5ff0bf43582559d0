using HostGw.Planning;

namespace HostGw.Platform;

/// <summary>
/// The changes of the link hostgw0. What must be there before a route that uses it is made before the routes; what is removed is removed
/// after them. A pass that creates the link is unfinished: routes need its index, which the next pass reads.
/// </summary>
/// <param name="Make">The link that is to be created, or corrected; null: none.</param>
/// <param name="AddSources">Addresses that it lacks.</param>
/// <param name="DeleteSources">Addresses that it must not have.</param>
/// <param name="Delete">HostGw's link that is to be deleted: no longer needed, or of the wrong kind.</param>
internal sealed record TunnelChanges(
    TunnelPlan? Make, IReadOnlyList<Ip> AddSources, IReadOnlyList<HostAddress> DeleteSources, TunnelLink? Delete)
{
    public static TunnelChanges None { get; } = new(null, [], [], null);

    /// <summary>The link that is there and stays; null: there is none.</summary>
    public TunnelLink? Link { get; init; }

    /// <summary>HostGw's links under other names, in addition to <see cref="Link"/> or a foreign hostgw0: deleted first.</summary>
    public IReadOnlyList<HostInterface> Strays { get; init; } = [];

    /// <summary>Why the link is created or corrected, in words.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Of a link to create: that of the one that the plan knew, whose routes then need no new plan; 0: any.</summary>
    public int Index { get; init; }

    /// <summary>The pass has read the host since: it installs the routes over the link itself.</summary>
    public bool IsRead { get; init; }

    /// <summary>A foreign link of that name is down: the kernel does not announce the alias that a link gets while it is down.</summary>
    public bool MayChangeUnannounced { get; init; }

    public bool IsEmpty =>
        Make is null && AddSources.Count == 0 && DeleteSources.Count == 0 && Delete is null && Strays.Count == 0;

    /// <summary>The link is wanted, and is not deleted for good.</summary>
    public bool Keeps => Make is not null || Delete is null;

    /// <summary>
    /// Routes over the link are for the next pass, which must follow at once: they are planned where it is up and holds its addresses.
    /// </summary>
    public bool Continues => !IsRead && (Make is not null || AddSources.Count > 0);

    /// <summary>Everything that is not as it should be, in words.</summary>
    public override string ToString() => string.Join("; ",
    [
        .. Strays.Select(StrayText),
        .. Make is null ? [] : new[] { Reason },
        .. AddSources.Select(MissingText), .. DeleteSources.Select(SurplusText),
        .. Delete is null || Make is not null ? [] : new[] { NotNeeded },
    ]);

    public const string NotNeeded = "not needed";

    public static string MissingText(Ip source) => $"without address {source}";

    public static string SurplusText(HostAddress address) => $"with address {Of(address)}, which is not needed";

    public static string StrayText(HostInterface link) => $"another one, named {link.Name}";

    public static TunnelChanges Between(Plan plan, HostState host)
    {
        if (plan.Scope != PlanScope.Everything)
            return None;
        HostInterface[] strays = [.. host.Interfaces.Where(i => i.IsTunnel && i.Index != host.Tunnel?.Index)];
        TunnelChanges changes = OfLink(plan, host);
        return strays.Length == 0 ? changes : changes with { Strays = strays };
    }

    private static TunnelChanges OfLink(Plan plan, HostState host)
    {
        if (host.Tunnel is { IsOurs: false } foreign)
            return foreign.IsUp ? None : None with { MayChangeUnannounced = true };
        if (plan.Tunnel is not { } wanted)
            return host.Tunnel is { } superfluous ? None with { Delete = superfluous } : None;
        if (host.Tunnel is not { } link)
            return new(wanted, wanted.Sources, [], null) { Reason = $"missing ({Of(wanted)})", Index = LastIndex(plan, host) };
        // Routes go with the old link, and come back with the next pass: meanwhile their packets are lost, and connections are not.
        return WrongKind(link, wanted) is { Length: > 0 } kind
            ? new(wanted, wanted.Sources, [], link) { Reason = $"{kind}: created again ({Of(wanted)})" }
            : InPlace(plan, wanted, link, host);
    }

    /// <summary>Those that were made: without guards the link is neither created nor corrected.</summary>
    public TunnelChanges Without(ApplyResult refusals) =>
        IsEmpty ? this
        : refusals.Refused(HostPart.Tunnel) ? None
        : refusals.Refused(HostPart.Guards) ? this with { Make = null, AddSources = [], Delete = Make is null ? Delete : null }
        : this;

    /// <summary>The link and its addresses stay, but a link of the wrong kind is created again. Strays go: no guard matches them.</summary>
    public TunnelChanges WithoutRemovals() => this with { DeleteSources = [], Delete = Make is null ? null : Delete };

    private static TunnelChanges InPlace(Plan plan, TunnelPlan wanted, TunnelLink link, HostState host)
    {
        HostAddress[] held = [.. host.Addresses.Where(a => a.Interface == link.Index)];
        Ip[] add = [.. wanted.Sources.Where(s => !held.Any(a => IsSource(a, s)))];
        HostAddress[] delete = [.. held.Where(a => MayBeSource(a, plan) && !wanted.Sources.Any(s => IsSource(a, s)))];
        string wrong = Wrong(link, wanted);
        if (wrong.Length == 0 && add.Length == 0 && delete.Length == 0)
            return None;
        return new(wrong.Length > 0 ? wanted : null, add, delete, null) { Link = link, Reason = wrong };
    }

    private static int LastIndex(Plan plan, HostState host) =>
        plan.Interfaces.FirstOrDefault(i => i.IsTunnel)?.Index is { } index && host.Interface(index) is null ? index : 0;

    // Others' addresses inside this node's podCIDRs would be sources of packets, too. A single address elsewhere is the SOURCE of a podCIDR
    // that this node had before: the Node that gets that podCIDR would be refused for it, and its packets dropped as this host's own.
    private static bool MayBeSource(HostAddress address, Plan plan) =>
        plan.OwnPodCidrs.Any(p => p.Contains(address.Address)) || IsSource(address, address.Address);

    private static bool IsSource(HostAddress address, Ip source) =>
        address.Address == source && address.Connected == Prefix.Host(source);

    private static string WrongKind(TunnelLink link, TunnelPlan wanted) =>
        link.Name != TunnelPlan.LinkName ? $"named {link.Name}"
        : !link.IsVxlanGpe ? "no VXLAN-GPE in external mode"
        : link.Port != wanted.Port ? $"on UDP port {link.Port}"
        : "";

    // A kernel without vnifilter lets all in, and the guards drop them.
    private static string Wrong(TunnelLink link, TunnelPlan wanted) => string.Join(", ",
    [
        .. link.WrongSetting.Length > 0 ? [link.WrongSetting] : Array.Empty<string>(),
        .. link.FiltersVnis && !link.Vnis.AsSpan().SequenceEqual([wanted.Vni])
            ? [$"VNI {(link.Vnis.IsEmpty ? "none" : string.Join(' ', link.Vnis))}"] : Array.Empty<string>(),
        .. link.HasIPv6 || !wanted.HasIPv6 ? [] : new[] { "without IPv6" },
        .. link.IsUp ? [] : new[] { "down" },
    ]);

    private static string Of(TunnelPlan plan) => $"UDP port {plan.Port}, VNI {plan.Vni}";

    private static string Of(HostAddress address) =>
        address.Connected == Prefix.Host(address.Address) ? $"{address.Address}" : $"{address.Address}/{address.Connected.Length}";
}
