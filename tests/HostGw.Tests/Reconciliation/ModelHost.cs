using System.Collections.Immutable;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

/// <summary>A host in memory that keeps what it is given, as a kernel does: keys are unique, others may change it, and it may refuse.</summary>
internal sealed class ModelHost(HostState initial) : IHostNetwork
{
    private readonly List<HostRoute> _routes = [.. initial.Routes.Where(r => !r.IsConnected)];
    private Action<WakeCauses>? _wake;

    /// <summary>Links, addresses and whatever else is no route.</summary>
    public HostState State { get; set; } = initial with { Forwarding = new(false, false) };

    public NatPlan? Nat { get; private set; }

    public IReadOnlyList<Leftover> Leftovers { get; set; } = [];

    public IReadOnlyList<RuleDoubt> Doubts { get; set; } = [];

    public IReadOnlyList<string> Obstacles { get; set; } = [];

    /// <summary>Whether the last changes asked for a search of all rules.</summary>
    public bool SearchedRules { get; private set; }

    /// <summary>Why foreign rules cannot be read; null: they can.</summary>
    public HostNetworkException? LeftoversRefusal { get; set; }

    /// <summary>Chain FORWARD drops what nothing in it accepts.</summary>
    public bool DropsForwarded { get; set; }

    /// <summary>Whose packets chain FORWARD accepts.</summary>
    public ImmutableArray<Prefix> ForwardAccept { get; private set; } = [];

    /// <summary>Our CNI configuration.</summary>
    public CniPlan? Cni { get; private set; }

    /// <summary>The guards of probes and tunnel.</summary>
    public GuardPlan? Guards { get; private set; }

    /// <summary>The directory of CNI configurations is mounted read-only.</summary>
    public bool CniIsReadOnly { get; set; }

    /// <summary>Another plugin's CNI configuration that comes before ours; null: none.</summary>
    public string? OtherCni { get; set; }

    /// <summary>Whether the last pass was told to read rules again.</summary>
    public bool ReadRulesAgain { get; private set; }

    /// <summary>What the kernel is said to do with packets.</summary>
    public IReadOnlyList<RouteOverride> Overrides { get; set; } = [];

    /// <summary>What is in the place of probe addresses' routes.</summary>
    public IReadOnlyList<ProbeObstacle> ProbeObstacles { get; set; } = [];

    /// <summary>What is said of who changes rules.</summary>
    public string RulesWriter { get; set; } = "";

    /// <summary>What was done, in order.</summary>
    public List<string> Journal { get; } = [];

    public long Writes { get; private set; }

    public int Reads { get; private set; }

    public Plan? Expected { get; private set; }

    /// <summary>Why an operation such as "add 10.244.2.0/24" is refused; null: it is not.</summary>
    public Func<string, HostNetworkException?> Refusal { get; set; } = _ => null;

    /// <summary>Why nothing can be read; null: it can.</summary>
    public HostNetworkException? ReadRefusal { get; set; }

    /// <summary>Runs once, between what a pass read and what it writes.</summary>
    public Action? Race { get; set; }

    /// <summary>Receives changes that are about to be made.</summary>
    public Action<HostChanges> Applying { get; set; } = _ => { };

    public IEnumerable<string> Routes => _routes.OrderBy(r => r.Key).Select(Show);

    public IEnumerable<string> OurRoutes => _routes.Where(r => r.IsOurs).OrderBy(r => r.Key).Select(Show);

    public HostState Read(IReadOnlyList<Ip> apiServers)
    {
        Reads++;
        IEnumerable<HostRoute> routes = _routes.Concat(Planning.HostDraft.Connected(State.Interfaces, State.Addresses));
        return ReadRefusal is not null ? throw ReadRefusal : State with
        {
            Routes = [.. routes.OrderBy(r => r.Key)],
            Protected = [.. State.Protected, .. apiServers.Select(a => new ProtectedAddress(a, ProtectedRole.ApiServer))],
        };
    }

    public HostState? ReadBriefly() => ReadRefusal is not null ? throw ReadRefusal : new()
    {
        Interfaces = State.Interfaces,
        Addresses = State.Addresses,
        PolicyRules = State.PolicyRules,
        Tunnel = State.Tunnel,
        GuardObstacle = State.GuardObstacle,
        SourceObstacle = State.SourceObstacle,
    };

    private string PreviewNat(NatPlan? desired) => Same(Nat, desired) ? "" : desired is null ? "removed" : Nat is null ? "created" : "changed";

    private string PreviewForward(ImmutableArray<Prefix> accept) =>
        ForwardAccept.SequenceEqual(accept) || (!DropsForwarded && ForwardAccept.IsEmpty) ? "" : "accept changed";

    private string PreviewGuards(GuardPlan? desired) => Equals(Guards, desired) ? "" : "guards changed";

    private string PreviewCni(CniPlan? desired) =>
        OtherCni is null && desired is not null ? (Equals(Cni, desired) ? "" : "wrote 10-hostgw.conflist")
        : Cni is null || (desired is null && CniIsReadOnly) ? "" : "removed 10-hostgw.conflist";

    private string[] CniLeft(HostChanges changes) => CniIsReadOnly && Cni is not null && changes is { ChangesCni: true, Cni: null }
        ? ["/etc/cni/net.d/10-hostgw.conflist"]
        : [];

    public ApplyResult Apply(HostChanges changes, ApplyMode mode) => mode == ApplyMode.Change ? Apply(changes) : new()
    {
        NatChange = changes.ChangesNat ? PreviewNat(changes.Nat) : "",
        ForwardChange = changes.ChangesForward ? PreviewForward(changes.ForwardAccept) : "",
        CniChange = changes.ChangesCni ? PreviewCni(changes.Cni) : "",
        CniLeft = CniLeft(changes),
        GuardChange = changes.ChangesGuards ? PreviewGuards(changes.Guards) : "",
        Leftovers = changes.FindsLeftovers ? Leftovers : null,
        Doubts = Doubts,
        Obstacles = Obstacles,
        Overrides = Overrides,
        ProbeObstacles = ProbeObstacles,
    };

    private ApplyResult Apply(HostChanges changes)
    {
        Applying(changes);
        Expected = changes.Plan;
        long before = Writes;
        Action? race = Race;
        Race = null;
        race?.Invoke();
        List<HostFailure> failures = [];
        Turn(HostPart.ForwardingIPv4, changes.EnableForwardingIPv4, () => ForwardIPv4(changes.ForwardIPv4On), failures);
        Turn(HostPart.ForwardingIPv6, changes.EnableForwardingIPv6, () => State = State with { Forwarding = State.Forwarding with { IPv6 = true } }, failures);
        foreach ((string link, int value) in changes.AcceptRa)
            Do(HostPart.ForwardingIPv6, $"accept_ra {link} {value}", null, () => Change(link, i => i with { AcceptRa = value }), failures);
        string guardChange = changes.ChangesGuards ? PreviewGuards(changes.Guards) : "";
        if (guardChange.Length > 0 && !Do(HostPart.Guards, guardChange, null, () => Guards = changes.Guards, failures))
            guardChange = "";
        string natChange = changes.ChangesNat ? PreviewNat(changes.Nat) : "";
        if (natChange.Length > 0 && !changes.HoldsRules && !Do(HostPart.Nat, $"nat {natChange}", null, () => Nat = changes.Nat, failures))
            natChange = "";

        ReadRulesAgain = changes.ReadsRulesAgain;
        SearchedRules = changes.FindsLeftovers;
        string forwardChange = changes.ChangesForward ? PreviewForward(changes.ForwardAccept) : "";
        if (forwardChange.Length > 0 && !changes.HoldsRules && !Do(HostPart.Forward, forwardChange, null, () => ForwardAccept = changes.ForwardAccept, failures))
            forwardChange = "";

        foreach (PodRoute route in changes.Routes.Add)
            Do(HostPart.Routes, $"add {route.Destination}", route.Key, () => Add(route.InstalledBy(157)), failures);
        foreach (RouteCorrection change in changes.Routes.Replace)
            Do(HostPart.Routes, $"replace {change.Route.Destination}", change.Route.Key, () => Replace(change.Route.InstalledBy(157)), failures);
        foreach (HostRoute route in changes.Routes.Delete)
            Do(HostPart.Routes, $"delete {route.Destination}", route.Key, () => _routes.Remove(route), failures);
        foreach (PolicyRule rule in changes.PolicyRules.Add)
            Do(HostPart.PolicyRules, $"add rule {rule}", null, () => SetRules([.. State.PolicyRules, rule]), failures);
        foreach (PolicyRule rule in changes.PolicyRules.Delete)
            Do(HostPart.PolicyRules, $"delete rule {rule}", null, () => SetRules(State.PolicyRules.Remove(rule)), failures);
        foreach (ProbeRoute route in changes.ProbeRoutes.Delete)
            Do(HostPart.ProbeAddress, $"delete probe route {route.Destination}", null, () => SetProbeRoutes(State.ProbeRoutes.Remove(route)), failures);
        foreach (Ip address in changes.ProbeRoutes.Without(ProbeObstacles).Add)
            Do(HostPart.ProbeAddress, $"add probe address {address}", null, () => SetProbeRoutes([.. State.ProbeRoutes, LocalRoute(address)]), failures);
        string tunnelChange = $"{changes.Tunnel}";
        if (!changes.Tunnel.IsEmpty && !Do(HostPart.Tunnel, $"tunnel {tunnelChange}", null, () => ApplyTunnel(changes.Tunnel), failures))
            tunnelChange = "";
        foreach (Neighbour neighbour in changes.ForgetNeighbours)
            Do(HostPart.Neighbours, $"forget {neighbour.Address}", new(Prefix.Host(neighbour.Address), 0), () => { }, failures);
        string cniChange = changes.ChangesCni ? PreviewCni(changes.Cni) : "";
        if (cniChange.Length > 0 && !Do(HostPart.Cni, cniChange, null, () => Cni = OtherCni is null ? changes.Cni : null, failures))
            cniChange = "";
        return new()
        {
            Failures = failures,
            NatChange = changes.HoldsRules ? "" : natChange,
            Leftovers = changes.FindsLeftovers && LeftoversRefusal is null ? Leftovers : null,
            Doubts = Doubts,
            Obstacles = Obstacles,
            Overrides = Overrides,
            ProbeObstacles = ProbeObstacles,
            NetlinkWrites = Writes - before,
            CniChange = cniChange,
            CniLeft = CniLeft(changes),
            TunnelChange = tunnelChange,
            GuardChange = guardChange,
            Cni = OtherCni is not null ? new(OtherCni, IsOurs: false) : Cni is not null ? new("/etc/cni/net.d/10-hostgw.conflist", IsOurs: true) : null,
            NatBackend = changes.Nat is null ? null : new("nftables", "the kernel has nf_tables"),
            ForwardChange = changes.HoldsRules ? "" : forwardChange,
            HeldRules = changes.HoldsRules ? new(natChange.Length > 0 ? natChange : null, forwardChange.Length > 0 ? forwardChange : null) : default,
            RulesWriter = RulesWriter,
        };
    }

    public async Task WatchAsync(Action<WakeCauses> wake, CancellationToken cancellationToken)
    {
        _wake = wake;
        wake(WakeCauses.Start);
        await Task.Delay(Timeout.Infinite, cancellationToken);
    }

    public void Expect(Plan plan) => Expected = plan;

    public void Dispose()
    {
    }

    /// <summary>Somebody else changes policy rules.</summary>
    public void SetRules(IEnumerable<PolicyRule> rules) => State = State with { PolicyRules = [.. rules.OrderBy(r => r.Preference)] };

    /// <summary>Somebody else changes the local routes of probe addresses.</summary>
    public void SetProbeRoutes(IEnumerable<ProbeRoute> routes) => State = State with { ProbeRoutes = [.. routes] };

    /// <summary>Somebody else makes, changes or deletes the link hostgw0.</summary>
    public void SetTunnel(TunnelLink? link) => State = State with
    {
        Tunnel = link,
        Interfaces = [.. State.Interfaces.Where(i => !i.IsTunnel || i.Index == link?.Index)],
    };

    /// <summary>As HostGw installs it.</summary>
    public static ProbeRoute LocalRoute(Ip address) => new(Prefix.Host(address), address.IsIPv6 ? 1024u : 0u, 0, 1) { IsPlain = true };

    /// <summary>Somebody else changes "IPv6" forwarding, "accept_ra" of cni0, or IPv4 forwarding of "all" or an interface.</summary>
    public void Turn(string what, bool off) => State = what switch
    {
        "all" => State with { Forwarding = State.Forwarding with { IPv4 = !off } },
        "IPv6" => State with { Forwarding = State.Forwarding with { IPv6 = !off } },
        "default" => State with { NewInterfacesForwardIPv4 = !off },
        "accept_ra" => With("cni0", i => i with { AcceptRa = off ? 2 : 0 }),
        _ => With(what, i => i with { ForwardsIPv4 = !off }),
    };

    /// <summary>The host forwards, and takes no router advertisement from pods.</summary>
    public bool IsRight => State is { Forwarding: { IPv4: true, IPv6: true }, NewInterfacesForwardIPv4: true } &&
        State.Interfaces.All(i => i.ForwardsIPv4 && i.AcceptRa != 2);

    private void ForwardIPv4(IReadOnlyList<string> links)
    {
        State = State with { Forwarding = State.Forwarding with { IPv4 = true } };
        foreach (string link in links)
            Turn(link, off: false);
    }

    private void ApplyTunnel(TunnelChanges changes)
    {
        const int Index = 157;
        if (changes.Make is { } made)
            SetTunnel(new(changes.Link?.Index ?? Index) { IsOurs = true, IsUp = true, IsVxlanGpe = true, Port = made.Port, Vnis = [made.Vni], FiltersVnis = true });
        else if (changes.Delete is not null)
            SetTunnel(null);
        if (State.Tunnel is not { } link)
            return;
        IEnumerable<HostAddress> added = changes.AddSources.Select(s => new HostAddress(s, Prefix.Host(s), link.Index));
        IEnumerable<HostAddress> kept = State.Addresses.Where(a => a.Interface != changes.Delete?.Index).Except(changes.DeleteSources);
        State = State with
        {
            Addresses = [.. kept.Concat(added).OrderBy(a => !a.Address.IsIPv4)], // as the kernel lists them
            Interfaces = [.. State.Interfaces.Where(i => i.Name != TunnelPlan.LinkName),
                new(link.Index, TunnelPlan.LinkName, IsUp: true, IsLoopback: false) { HasNeighbours = false, IsPointToPoint = true, IsTunnel = true }],
        };
    }

    private void Change(string link, Func<HostInterface, HostInterface> change) => State = With(link, change);

    private HostState With(string link, Func<HostInterface, HostInterface> change) =>
        State with { Interfaces = [.. State.Interfaces.Select(i => i.Name == link ? change(i) : i)] };

    /// <summary>Somebody else removes the masquerade rule.</summary>
    public void LoseNat() => Nat = null;

    /// <summary>Somebody else removes the guards of probes and tunnel.</summary>
    public void LoseGuards() => Guards = null;

    /// <summary>Somebody else removes the accept in chain FORWARD.</summary>
    public void LoseForwardAccept() => ForwardAccept = [];

    /// <summary>Somebody else gives a route, as "10.244.2.0/24 via 10.0.0.9 dev eth0 proto 4"; one on the same key goes.</summary>
    public void Overwrite(string route) => Overwrite(Parse(route));

    public void Overwrite(HostRoute given)
    {
        _routes.RemoveAll(r => r.Key == given.Key);
        _routes.Add(given);
        _wake?.Invoke(WakeCauses.Routes);
    }

    /// <summary>Somebody else appends a route to those on its key.</summary>
    public void Append(string route) => _routes.Add(Parse(route));

    /// <summary>Somebody else deletes all routes to a destination.</summary>
    public void Remove(string destination)
    {
        Assert.NotEqual(0, _routes.RemoveAll(r => r.Destination.ToString() == destination));
        _wake?.Invoke(WakeCauses.Routes);
    }

    /// <summary>Somebody else removes our CNI configuration.</summary>
    public void LoseCni() => Cni = null;

    private void Turn(HostPart part, bool wanted, Action change, List<HostFailure> failures)
    {
        if (wanted)
            Do(part, part == HostPart.ForwardingIPv4 ? "forward ipv4" : "forward ipv6", null, change, failures);
    }

    private bool Do(HostPart part, string what, RouteKey? key, Action change, List<HostFailure> failures)
    {
        Writes++;
        try
        {
            if (Refusal(what) is { } refusal)
                throw refusal;
            change();
            Journal.Add(what);
            return true;
        }
        catch (HostNetworkException e) when (!e.IsNotFound)
        {
            failures.Add(new(part, what, key, e));
            return false;
        }
    }

    private void Add(HostRoute route)
    {
        if (_routes.Exists(r => r.Key == route.Key && r.Tos == 0))
            throw new HostRefusal("File exists");
        _routes.Add(route);
    }

    private void Replace(HostRoute route)
    {
        int index = _routes.FindIndex(r => r.Key == route.Key && r.Tos == 0);
        if (index < 0)
            _routes.Add(route);
        else
            _routes[index] = route;
    }

    public HostRoute Parse(string route)
    {
        var text = new Planning.HostDraft();
        foreach (HostInterface link in State.Interfaces.Where(i => !i.IsLoopback))
            text.Read([link.Name]);
        text.Read(route.Split(' '));
        HostRoute read = text.Finish().Routes[^1];
        return read with { Metric = read.Destination.IsIPv6 && read.Metric == 0 ? State.MetricIPv6 : read.Metric };
    }

    private string Show(HostRoute route) =>
        $"{route.Destination}{(route.NextHop.IsNone ? "" : $" via {route.NextHop}")} dev {State.Interface(route.Interface)?.Name}{(route.IsOurs ? "" : $" proto {route.Protocol}")}";

    private static bool Same(NatPlan? a, NatPlan? b) => Describe(a) == Describe(b);

    private static string Describe(NatPlan? plan) => plan is null
        ? "" : $"{plan with { Sources = [], Exempt = [] }} {string.Join(",", plan.Sources)} {string.Join(",", plan.Exempt)}";
}
