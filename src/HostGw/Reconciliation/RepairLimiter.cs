using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Reconciliation;

/// <summary>
/// Limits how often each thing is repaired: every route by itself, HostGw's rules together, its guards, its policy rules, the probe
/// addresses, the link hostgw0, the CNI configuration, every setting of forwarding and router advertisements by itself. The first five
/// repairs within a minute are made at once, then one in ten seconds: two programs that undo each other's changes at full speed would use
/// a whole core.
/// </summary>
internal sealed class RepairLimiter(TimeProvider time)
{
    private static readonly RepairKey Rules = new(RepairKind.Rules);
    private static readonly RepairKey Guards = new(RepairKind.Guards);
    private static readonly RepairKey Cni = new(RepairKind.Cni);
    private static readonly RepairKey PolicyRules = new(RepairKind.PolicyRules);
    private static readonly RepairKey ProbeAddress = new(RepairKind.ProbeAddress);
    private static readonly RepairKey Tunnel = new(RepairKind.Tunnel);

    private readonly Dictionary<RepairKey, RepairRate> _rates = [];

    /// <returns>The changes without the repairs that must wait, and those repairs.</returns>
    /// <param name="heldBefore">The repairs of rules that the previous pass held.</param>
    public (HostChanges Permitted, HeldRepairs Held) Hold(HostChanges changes, RepairScope repairs, HeldRules heldBefore)
    {
        Forget();
        (PodRoute Route, TimeSpan? Wait)[] routes = [.. Waiting(changes.Routes, repairs)];
        HeldRepairs held = new()
        {
            Routes = [.. routes.Select(r => r.Route)],
            RoutesWait = routes.Min(r => r.Wait),
            RulesWait = repairs.Rules ? Wait(Rules) : null,
            // What comes out of a tunnel without guards reaches host sockets.
            GuardsWait = repairs.Guards && changes.Guards?.Tunnel is null ? Wait(Guards) : null,
            CniWait = repairs.Cni ? Wait(Cni) : null,
            PolicyRulesWait = repairs.PolicyRules ? Wait(PolicyRules) : null,
            ProbeAddressWait = repairs.ProbeAddress ? Wait(ProbeAddress) : null,
            TunnelWait = repairs.Tunnel ? Wait(Tunnel) : null,
            SettingsWait = HostSetting.Of(changes).Min(s => Wait(s)),
        };
        if (routes.Length > 0)
            changes = changes with { Routes = changes.Routes.WithoutInstalling(routes.Select(r => r.Route.Key).ToHashSet()) };
        if (held.GuardsWait is not null)
            changes = changes with { ChangesGuards = false };
        if (held.CniWait is not null)
            changes = changes with { ChangesCni = false };
        if (held.PolicyRulesWait is not null)
            changes = changes with { PolicyRules = PolicyRuleChanges.None };
        if (held.ProbeAddressWait is not null)
            changes = changes with { ProbeRoutes = ProbeRouteChanges.None };
        if (held.TunnelWait is not null)
            changes = changes with { Tunnel = TunnelChanges.None };
        if (held.SettingsWait is not null)
            changes = HostSetting.Without(changes, s => Wait(s) is not null);
        return held.RulesWait is null ? (changes, held) : HoldRules(changes, held, heldBefore);
    }

    /// <summary>Counts the repairs that were made: not those that the host refused.</summary>
    public void Count(HostChanges made, ApplyResult result, RepairScope repairs)
    {
        foreach (PodRoute route in made.Routes.Add.Where(repairs.IsRepairOfMissing))
            Count(new(RepairKind.Route, route.Key), "it was deleted");
        foreach (RouteCorrection correction in made.Routes.Replace.Where(c => repairs.IsRepair(c.Route)))
            Count(new(RepairKind.Route, correction.Route.Key), Describe(correction.Instead));
        if (DescribeRules(result, repairs) is { Length: > 0 } rules)
            Count(Rules, rules);
        if (repairs.Guards && result.GuardChange.Length > 0)
            Count(Guards, WithWriter(result.GuardChange, result));
        if (repairs.Cni && result.CniChange.Length > 0)
            Count(Cni, result.CniChange);
        if (repairs.PolicyRules && !made.PolicyRules.IsEmpty)
            Count(PolicyRules, string.Join(", ", made.PolicyRules.Add.Concat(made.PolicyRules.Delete)));
        if (repairs.ProbeAddress && !made.ProbeRoutes.IsEmpty)
            Count(ProbeAddress, string.Join(", ", made.ProbeRoutes.Addresses));
        if (repairs.Tunnel && !made.Tunnel.IsEmpty)
            Count(Tunnel, $"{made.Tunnel}");
        foreach (HostSetting setting in repairs.Settings ? HostSetting.Of(made) : [])
            Count(new(RepairKind.Setting, Setting: setting), $"{setting}");
    }

    /// <summary>What is repaired at the limited rate; of routes only those that are still desired.</summary>
    public Contests Contested(Plan plan) => _rates.Values.All(r => r.Contested is null) ? Contests.None : new(
        _rates.GetValueOrDefault(Rules)?.Contested,
        _rates.GetValueOrDefault(Cni)?.Contested,
        [.. from rate in _rates
            let destination = rate.Key.Route.Destination
            where rate.Key.Kind == RepairKind.Route && rate.Value.Contested is not null && plan.Wants(destination)
            orderby destination
            select new ContestedRoute(destination, rate.Value.Contested!)])
    {
        Guards = _rates.GetValueOrDefault(Guards)?.Contested,
        PolicyRules = _rates.GetValueOrDefault(PolicyRules)?.Contested,
        ProbeAddress = _rates.GetValueOrDefault(ProbeAddress)?.Contested,
        Tunnel = _rates.GetValueOrDefault(Tunnel)?.Contested,
        Settings =
        [
            .. _rates.Where(r => r.Key.Kind == RepairKind.Setting).Select(r => r.Value.Contested).OfType<string>().Distinct().Order(),
        ],
        Rest = _rates.Values.Min(r => r.Rest),
    };

    // Comparing rules may start programs: it is done once, and what was found is reported until the repair may be made.
    private static (HostChanges Permitted, HeldRepairs Held) HoldRules(HostChanges changes, HeldRepairs held, HeldRules before) =>
        before.IsEmpty
            ? (changes with { HoldsRules = true }, held)
            : (changes with { ChangesNat = false, ChangesForward = false }, held with { Rules = before });

    private IEnumerable<(PodRoute Route, TimeSpan? Wait)> Waiting(RouteChanges changes, RepairScope repairs) =>
        from route in changes.Add.Where(repairs.IsRepairOfMissing).Concat(changes.Replace.Select(c => c.Route).Where(repairs.IsRepair))
        let wait = Wait(new RepairKey(RepairKind.Route, route.Key))
        where wait is not null
        select (route, wait);

    private TimeSpan? Wait(HostSetting setting) => Wait(new RepairKey(RepairKind.Setting, Setting: setting));

    private TimeSpan? Wait(RepairKey key) => _rates.GetValueOrDefault(key)?.Wait;

    private void Count(RepairKey key, string found)
    {
        if (!_rates.TryGetValue(key, out RepairRate? rate))
            _rates[key] = rate = new(time);
        rate.Count(found);
    }

    private void Forget()
    {
        foreach ((RepairKey key, RepairRate rate) in _rates)
        {
            if (rate.Forget())
                _rates.Remove(key);
        }
    }

    private static string Describe(HostRoute found)
    {
        string route = found.NextHop.IsNone ? "a route" : $"a route {NextHopText.Of(found)}";
        string extras = found.Tunnel is { } tunnel ? $" with {TunnelText.Of(tunnel)}"
            : found.Extras == RouteExtras.None ? "" : $" with {RouteExtrasText.Of(found.Extras)}";
        return $"{route} of protocol {RouteProtocols.Name(found.Protocol)}{extras} was in its place";
    }

    private static string DescribeRules(ApplyResult result, RepairScope repairs)
    {
        string[] both = [repairs.Masquerade ? result.NatChange : "", repairs.ForwardAccept ? result.ForwardChange : ""];
        string what = string.Join("; ", both.Where(w => w.Length > 0));
        return WithWriter(what, result);
    }

    private static string WithWriter(string what, ApplyResult result) =>
        what.Length > 0 && result.RulesWriter.Length > 0 ? $"{what}; last changed by the program {result.RulesWriter}" : what;

    private enum RepairKind
    {
        Route,
        Rules,
        Guards,
        Cni,
        PolicyRules,
        ProbeAddress,
        Tunnel,
        Setting,
    }

    private readonly record struct RepairKey(RepairKind Kind, RouteKey Route = default, HostSetting Setting = default);
}

/// <summary>A setting of this host that a pass changes.</summary>
/// <param name="Name">"IPv4 forwarding", "IPv6 forwarding" or accept_ra.</param>
/// <param name="Interface">Null: of the whole host.</param>
/// <param name="Index">Of that interface: one that is plugged in again is another one.</param>
internal readonly record struct HostSetting(string Name, string? Interface = null, int Index = 0)
{
    private const string IPv4 = "IPv4 forwarding", IPv6 = "IPv6 forwarding", AcceptRa = "accept_ra";

    public override string ToString() => Interface is null ? Name : $"{Name} of {Interface}";

    // Turned off for the host it is off on every interface.
    public static IEnumerable<HostSetting> Of(HostChanges changes) =>
    [
        .. !changes.EnableForwardingIPv4 ? []
            : IsOnlyOfInterfaces(changes) ? changes.ForwardIPv4On.Select(l => Of(IPv4, l, changes)) : [new(IPv4)],
        .. changes.EnableForwardingIPv6 ? [new(IPv6)] : Array.Empty<HostSetting>(),
        .. changes.AcceptRa.Select(c => Of(AcceptRa, c.Interface, changes)),
    ];

    public static HostChanges Without(HostChanges changes, Func<HostSetting, bool> isHeld)
    {
        string[] links = [.. changes.ForwardIPv4On.Where(l => !isHeld(Of(IPv4, l, changes)))];
        bool isIPv6On = changes.EnableForwardingIPv6 && !isHeld(new(IPv6));
        return changes with
        {
            EnableForwardingIPv4 = changes.EnableForwardingIPv4 && (IsOnlyOfInterfaces(changes) ? links.Length > 0 : !isHeld(new(IPv4))),
            ForwardIPv4On = links,
            EnableForwardingIPv6 = isIPv6On,
            // An uplink must have it before forwarding goes on.
            AcceptRa = isIPv6On ? changes.AcceptRa : [.. changes.AcceptRa.Where(c => !isHeld(Of(AcceptRa, c.Interface, changes)))],
        };
    }

    private static bool IsOnlyOfInterfaces(HostChanges changes) => changes.Host.Forwarding.IPv4 == true && changes.ForwardIPv4On.Count > 0;

    private static HostSetting Of(string name, string link, HostChanges changes) =>
        new(name, link, changes.Host.Interfaces.FirstOrDefault(i => i.Name == link)?.Index ?? 0);
}

/// <summary>How often one thing was repaired within the last minute, and when it may be repaired again.</summary>
internal sealed class RepairRate(TimeProvider time)
{
    public const int FreeRepairs = 5;

    public const int IntervalSeconds = 10;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(IntervalSeconds);

    // Time stamps, not clock time: a clock that is set back must not delay a repair by as much.
    private readonly List<long> _times = [];

    /// <summary>
    /// What was found when the free repairs were used up; null: they were not. It stays the same until a minute passes without a
    /// repair, because the log and Events tell problems apart by their text.
    /// </summary>
    public string? Contested { get; private set; }

    /// <summary>How long until the next repair may be made; null: now.</summary>
    public TimeSpan? Wait =>
        _times.Count >= FreeRepairs && Interval - time.GetElapsedTime(_times[^1]) is var left && left > TimeSpan.Zero ? left : null;

    /// <summary>How long until a contest is over, if there is no other repair; null: there is none.</summary>
    // It may have become over while the changes of this pass were applied.
    public TimeSpan? Rest => Contested is null ? null
        : Window - time.GetElapsedTime(_times[^1]) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    public void Count(string found)
    {
        _times.Add(time.GetTimestamp());
        if (_times.Count >= FreeRepairs)
            Contested ??= found;
    }

    /// <summary>Forgets repairs of a minute ago and before. Returns whether none is left.</summary>
    public bool Forget()
    {
        _times.RemoveAll(at => time.GetElapsedTime(at) >= Window);
        return _times.Count == 0;
    }
}

/// <summary>Repairs that wait for their rate limit.</summary>
internal sealed record HeldRepairs
{
    public static HeldRepairs None { get; } = new();

    public IReadOnlyList<PodRoute> Routes { get; init; } = [];

    /// <summary>How long until the first of these may be repaired; null: none waits.</summary>
    public TimeSpan? RoutesWait { get; init; }

    /// <summary>In words.</summary>
    public HeldRules Rules { get; init; }

    /// <summary>How long until rules may be repaired; null: at once.</summary>
    public TimeSpan? RulesWait { get; init; }

    /// <summary>How long until the guards may be repaired; null: at once.</summary>
    public TimeSpan? GuardsWait { get; init; }

    /// <summary>How long until the CNI configuration may be repaired; null: at once.</summary>
    public TimeSpan? CniWait { get; init; }

    /// <summary>How long until the policy rules may be repaired; null: at once.</summary>
    public TimeSpan? PolicyRulesWait { get; init; }

    /// <summary>How long until the probe addresses may be repaired; null: at once.</summary>
    public TimeSpan? ProbeAddressWait { get; init; }

    /// <summary>How long until the link hostgw0 may be repaired; null: at once.</summary>
    public TimeSpan? TunnelWait { get; init; }

    /// <summary>How long until the first of forwarding and router advertisements may be repaired; null: at once.</summary>
    public TimeSpan? SettingsWait { get; init; }

    /// <summary>How long until the first of all these may be repaired; null: none waits.</summary>
    public TimeSpan? Wait =>
        ((TimeSpan?[])[RoutesWait, RulesWait, GuardsWait, CniWait, PolicyRulesWait, ProbeAddressWait, TunnelWait, SettingsWait]).Min();

    /// <summary>What is held, now that rules were compared.</summary>
    public HeldRepairs After(ApplyResult result)
    {
        HeldRules rules = Rules.IsEmpty ? result.HeldRules : Rules;
        return this with { Rules = rules, RulesWait = rules.IsEmpty ? null : RulesWait };
    }
}

/// <summary>What another program undoes again and again, and what was found instead; null: nothing.</summary>
/// <param name="Rules">What had to be done to HostGw's rules, and the program that last changed them.</param>
/// <param name="Cni">What had to be done to the CNI configuration.</param>
/// <param name="Routes">In the order of their destinations.</param>
internal sealed record Contests(string? Rules, string? Cni, IReadOnlyList<ContestedRoute> Routes)
{
    public static Contests None { get; } = new(null, null, []);

    /// <summary>What had to be done to the guards of probes and tunnel, and the program that last changed rules.</summary>
    public string? Guards { get; init; }

    /// <summary>What had to be done to HostGw's policy rules.</summary>
    public string? PolicyRules { get; init; }

    /// <summary>The probe addresses whose routes had to be installed again or corrected.</summary>
    public string? ProbeAddress { get; init; }

    /// <summary>What had to be done to the link hostgw0.</summary>
    public string? Tunnel { get; init; }

    /// <summary>Forwarding and settings of router advertisements, such as "IPv4 forwarding of cni0".</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>How long until the first contest is over, if there is no other repair; null: there is none.</summary>
    public TimeSpan? Rest { get; init; }
}

/// <param name="Found">What was found in its place.</param>
internal readonly record struct ContestedRoute(Prefix Destination, string Found);
