using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Cni;
using HostGw.Platform.Linux.Iptables;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux;

/// <summary>A Linux host: rtnetlink for routes, nf_tables or iptables for NAT, /proc/sys/net for forwarding, a file for CNI.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxHost : IHostNetwork
{
    private readonly ProcSysNet _sysctl;
    private readonly NetlinkSocket _socket = new(NETLINK_ROUTE);
    private readonly NftablesBackend _nftables = new();
    private readonly IptablesPrograms[] _iptables;
    private readonly LinuxNat _nat;
    private readonly LinuxForward _forward;
    private readonly Leftovers _leftovers;
    private readonly CniConfiguration _cni;
    private readonly LinuxHostReader _reader;
    private readonly LinuxRoutes _routes;
    private readonly RouteNews _news;
    private readonly RuleNews _ruleNews;

    public LinuxHost(LinuxHostOptions options)
    {
        _sysctl = options.ProcSysNet;
        HostProgram program = new(options.ProgramFolders, TimeSpan.FromSeconds(15));
        _iptables = [new(program, IptablesFlavour.Nft), new(program, IptablesFlavour.Legacy)];
        _nat = new(options, _nftables, _iptables[0], _iptables[1]);
        _forward = new(() => _nftables.Census, _iptables[0], _iptables[1]);
        _cni = new(options.Cni, Conflist.Format);
        _routes = new(_socket, options.RouteProtocol);
        _leftovers = new(() => _nftables.Census, _iptables);
        _ruleNews = new(() => _nftables.PortId);
        _news = new(options.RouteProtocol, _socket.PortId);
        _reader = new(_socket, _news, options);
    }

    public long Writes => _socket.Writes + _nftables.Writes + _iptables.Sum(p => p.Writes);

    public IReadOnlyList<string> Obstacles => [.. _forward.Obstacles, .. _cni.Obstacles];

    public HostState Read(Ip apiServer, bool anew = true) => _reader.Read(apiServer, anew);

    public string PreviewNat(NatPlan? desired) => _nat.Compare(desired, anew: true)?.What ?? "";

    public string PreviewForward(ImmutableArray<Prefix> accept) =>
        string.Join("; ", _forward.Compare(accept, anew: true, static e => throw e).Select(w => w.What));

    public string PreviewCni(CniPlan? desired) => _cni.Preview(desired);

    public IReadOnlyList<Leftover> FindLeftovers(Plan plan) => _leftovers.Find(plan);

    public IEnumerable<string> Remains(HostState state) => RemainingForwarding.OnLinux(state.Forwarding);

    public ApplyResult Apply(HostChanges changes, HostState host)
    {
        List<HostFailure> failures = [];
        string cni = "";
        // No pod is started while its way is taken away, nor before it is there.
        Attempt(HostPart.Cni, "remove the CNI configuration", changes is { ChangesCni: true, Cni: null }, () => cni = _cni.Apply(null), failures);
        Attempt(HostPart.ForwardingIPv4, "turn IPv4 forwarding on", changes.EnableForwardingIPv4, () => EnableForwardingIPv4(changes.UplinkIPv4), failures);
        Attempt(HostPart.ForwardingIPv6, "turn IPv6 forwarding on", changes.EnableForwardingIPv6 || changes.AcceptRa.Count > 0, () => ForwardIPv6(changes), failures);

        // A peer joins: exempt first, then the route. It leaves: the other way round. A flow keeps for life what it began with.
        NatWork? nat = null;
        Attempt(HostPart.Nat, "apply the masquerade rule", changes.ChangesNat, () => nat = BeginNat(changes), failures);
        _routes.Apply(changes.Routes, failures);
        _reader.Did(changes, failures);
        Attempt(HostPart.Nat, "apply the masquerade rule", nat is not null && !changes.HoldsRules, () => _nat.ApplyAfter(nat!), failures);

        // Both read much, and the routes and the rule need not wait for it.
        List<string> forward = [];
        Attempt(HostPart.Forward, "look for drops of pods' packets", changes.ChangesForward, () => ApplyForward(changes, forward, failures), failures);
        Attempt(HostPart.NeighbourThresholds, "raise the neighbour table's thresholds", changes.Peers > 0, () => _sysctl.RaiseNeighbourThresholds(changes.Peers), failures);

        Attempt(HostPart.Nat, "let connections begin anew", _nat.OwesConnections, () => _nat.ForgetUnmasqueraded(changes.PodCidrs, LocalAddresses(host)), failures);
        _routes.Forget(changes.ForgetNeighbours, failures);
        bool networkStands = failures.All(f => f.Part is HostPart.NeighbourThresholds or HostPart.Neighbours);
        Attempt(HostPart.Cni, "write the CNI configuration", changes is { ChangesCni: true, Cni: not null } && networkStands, () => cni = _cni.Apply(changes.Cni), failures);
        string? natWork = nat?.What, forwardWork = forward.Count > 0 ? string.Join("; ", forward) : null;
        return new(failures, changes.HoldsRules ? "" : natWork ?? "")
        {
            NatBackend = _nat.Choice,
            ForwardChange = changes.HoldsRules ? "" : forwardWork ?? "",
            HeldRules = changes.HoldsRules ? new(natWork, forwardWork) : default,
            CniChange = cni,
            Cni = _cni.Standing,
            Obstacles = Obstacles,
            RulesWriter = _ruleNews.Writer,
        };
    }

    public Task WatchAsync(Action<WakeCauses> wake, CancellationToken cancellationToken)
    {
        _cni.Changed = () => wake(WakeCauses.Cni);
        return LinuxWatch.RunAsync(_news, _ruleNews, wake, cancellationToken);
    }

    public void Expect(Plan plan)
    {
        _news.Expect(plan);
        _reader.Expect(plan.Routes.Length);
    }

    public void Dispose()
    {
        _cni.Dispose();
        _nat.Dispose();
        _socket.Dispose();
    }

    private void EnableForwardingIPv4(string? uplink)
    {
        _sysctl.EnableForwardingIPv4();
        if (uplink is not null)
            _sysctl.EnableForwardingIPv4On(uplink);
    }

    private void ForwardIPv6(HostChanges changes)
    {
        if (changes.EnableForwardingIPv6)
            _sysctl.EnableForwardingIPv6(changes.AcceptRa);
        else
            _sysctl.SetAcceptRa(changes.AcceptRa);
    }

    private NatWork? BeginNat(HostChanges changes)
    {
        NatWork? work = _nat.Compare(changes.Nat, changes.ReadsRulesAnew);
        if (!changes.HoldsRules)
            work?.Before();
        return work;
    }

    private void ApplyForward(HostChanges changes, List<string> done, List<HostFailure> failures)
    {
        foreach ((string what, Action apply) in _forward.Compare(changes.ForwardAccept, changes.ReadsRulesAnew, Fail))
        {
            int before = failures.Count;
            Attempt(HostPart.Forward, "accept pods' packets in chain FORWARD", !changes.HoldsRules, apply, failures);
            if (failures.Count == before)
                done.Add(what);
        }

        void Fail(HostNetworkException e) => failures.Add(new(HostPart.Forward, "look for drops of pods' packets", null, e));
    }

    private static HashSet<Ip> LocalAddresses(HostState host) => [.. host.Addresses.Select(a => a.Address)];

    // One thing that fails never keeps the others from being done.
    private static void Attempt(HostPart part, string what, bool wanted, Action change, List<HostFailure> failures)
    {
        if (!wanted)
            return;
        try
        {
            change();
        }
        catch (HostNetworkException e)
        {
            failures.Add(new(part, what, null, e));
        }
    }
}
