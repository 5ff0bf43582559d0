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
    private const string ApplyRule = "apply the masquerade rule";

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
        _reader = new(_socket, options);
    }

    public HostState Read(Ip apiServer) => _reader.Read(apiServer);

    public ApplyResult Apply(HostChanges changes, ApplyMode mode)
    {
        _news.Expect(changes.Plan);
        long before = NetlinkWrites;
        Attempts attempts = new();
        bool changesRules = mode == ApplyMode.Change && !changes.HoldsRules;
        string cni = "", nat = "";
        List<string> forward = [];

        // No pod may start while its network is taken away.
        attempts.Try(HostPart.Cni, "remove the CNI configuration", changes is { ChangesCni: true, Cni: null }, () => cni = ApplyCni(null, mode));
        if (mode == ApplyMode.Change)
            EnableForwarding(changes, attempts);

        // A flow keeps the source address that it began with: exempt first, then the route; removals the other way round.
        // Programs are the exception (iptables): one that hangs would delay the routes by its timeout, which is worse.
        NatWork? nftables = null;
        bool begun = attempts.Try(HostPart.Nat, ApplyRule, changes.ChangesNat, () => nftables = BeginNat(changes, changesRules));
        if (mode == ApplyMode.Change)
            _routes.Apply(changes.Routes, attempts.Failures);
        attempts.Try(HostPart.Nat, ApplyRule, changes.ChangesNat && begun, () => nat = EndNat(changes, nftables, changesRules));
        attempts.Try(HostPart.Forward, "look for drops of pods' packets", changes.ChangesForward, () => ApplyForward(changes, changesRules, forward, attempts));
        if (mode == ApplyMode.Change)
            Finish(changes, attempts);

        bool networkIsReady = attempts.Failures.All(f => f.Part is HostPart.NeighbourThresholds or HostPart.Neighbours or HostPart.Routes);
        attempts.Try(HostPart.Cni, "write the CNI configuration", changes is { ChangesCni: true, Cni: not null } && networkIsReady, () => cni = ApplyCni(changes.Cni, mode));
        ApplyResult result = new()
        {
            NatBackend = _nat.Choice,
            CniChange = cni,
            Cni = _cni.Standing,
            Leftovers = changes.FindsLeftovers ? FindLeftovers(changes.Plan) : null,
            Obstacles = [.. _forward.Obstacles, .. _cni.Obstacles],
            RulesWriter = _ruleNews.Writer,
            Failures = attempts.Failures,
            NetlinkWrites = NetlinkWrites - before,
        };
        return result.WithRules(nat, string.Join("; ", forward), changes.HoldsRules);
    }

    public Task WatchAsync(Action<WakeCauses> wake, CancellationToken cancellationToken)
    {
        _cni.Changed = () => wake(WakeCauses.Cni);
        return LinuxWatch.RunAsync(_news, _ruleNews, wake, cancellationToken);
    }

    public void Dispose()
    {
        _cni.Dispose();
        _nat.Dispose();
        _socket.Dispose();
    }

    private long NetlinkWrites => _socket.Writes + _nftables.Writes;

    private string ApplyCni(CniPlan? desired, ApplyMode mode) => mode == ApplyMode.Change ? _cni.Apply(desired) : _cni.Preview(desired);

    private void EnableForwarding(HostChanges changes, Attempts attempts)
    {
        attempts.Try(HostPart.ForwardingIPv4, "turn IPv4 forwarding on", changes.EnableForwardingIPv4, () => EnableForwardingIPv4(changes.UplinkIPv4));
        attempts.Try(HostPart.ForwardingIPv6, "turn IPv6 forwarding on", changes.EnableForwardingIPv6 || changes.AcceptRa.Count > 0, () => ForwardIPv6(changes));
    }

    private void ForwardIPv6(HostChanges changes)
    {
        if (changes.EnableForwardingIPv6)
            _sysctl.EnableForwardingIPv6(changes.AcceptRa);
        else
            _sysctl.SetAcceptRa(changes.AcceptRa);
    }

    private void EnableForwardingIPv4(string? uplink)
    {
        _sysctl.EnableForwardingIPv4();
        if (uplink is not null)
            _sysctl.EnableForwardingIPv4On(uplink);
    }

    private NatWork? BeginNat(HostChanges changes, bool changesRules)
    {
        NatWork? work = _nat.CompareNftables(changes.Nat, changes.ReadsRulesAgain);
        if (changesRules)
            work?.Before();
        return work;
    }

    /// <param name="begun">The part of nf_tables, whose first half is done.</param>
    private string EndNat(HostChanges changes, NatWork? begun, bool changesRules)
    {
        if (_nat.Compare(changes.Nat, changes.ReadsRulesAgain) is not { } work)
            return "";
        if (changesRules && begun is null)
            work.Before();
        if (changesRules)
            _nat.ApplyAfter(work);
        return work.What;
    }

    private void ApplyForward(HostChanges changes, bool changesRules, List<string> done, Attempts attempts)
    {
        IReadOnlyList<(string What, Action Apply)> work = _forward.Compare(
            changes.ForwardAccept, changes.ReadsRulesAgain, e => attempts.Fail(HostPart.Forward, "look for drops of pods' packets", e));
        foreach ((string what, Action apply) in work)
        {
            if (!changesRules || attempts.Try(HostPart.Forward, "accept pods' packets in chain FORWARD", wanted: true, apply))
                done.Add(what);
        }
    }

    // What neither routes nor rules need to wait for.
    private void Finish(HostChanges changes, Attempts attempts)
    {
        attempts.Try(HostPart.NeighbourThresholds, "raise the neighbour table's thresholds", changes.Peers > 0, () => _sysctl.RaiseNeighbourThresholds(changes.Peers));
        attempts.Try(
            HostPart.Nat, "let connections begin again", _nat.OwesConnections,
            () => _nat.ForgetUnmasqueraded(changes.PodCidrs, changes.Host.Addresses.Select(a => a.Address).ToHashSet()));
        _routes.Forget(changes.ForgetNeighbours, attempts.Failures);
    }

    private List<Leftover>? FindLeftovers(Plan plan)
    {
        try
        {
            return _leftovers.Find(plan);
        }
        catch (HostNetworkException)
        {
            return null; // nf_tables cannot be read, which is already a failure of the masquerade rule
        }
    }
}
