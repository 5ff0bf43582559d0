using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Cni;
using HostGw.Platform.Linux.Census;
using HostGw.Platform.Linux.Iptables;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux;

/// <summary>The settings of a Linux host.</summary>
internal sealed record LinuxHostOptions
{
    /// <summary>rtm_protocol of HostGw's routes.</summary>
    public required byte RouteProtocol { get; init; }

    public required ProcSysNet ProcSysNet { get; init; }

    public NatBackend NatBackend { get; init; }

    public NatIptables NatIptables { get; init; }

    public CniOptions Cni { get; init; } = new();

    /// <summary>Read whether the CNI configuration keeps the gateway addresses of podCIDRs from pods: the tunnel wants them.</summary>
    public bool ReadsReservation { get; init; }

    /// <summary>Where the programs of iptables are searched.</summary>
    public IReadOnlyList<string> ProgramFolders { get; init; } = HostProgram.Folders;

    /// <summary>How long all programs of one pass may take together.</summary>
    public TimeSpan ProgramTime { get; init; } = HostProgram.TimeOfPass;

    public string ResolvConf { get; init; } = "/etc/resolv.conf";

    /// <summary>Where the names of uplinks are kept; null: nowhere.</summary>
    public string? StateDirectory { get; init; }
}

/// <summary>A Linux host: rtnetlink for routes, nf_tables or iptables for NAT, /proc/sys/net for forwarding, a file for CNI.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxHost : IHostNetwork
{
    private const string ApplyNat = "apply the masquerade rule";
    private const string CompareForward = "check whether pods' packets are dropped";

    private readonly bool _readsReservation;
    private readonly ProcSysNet _sysctl;
    private readonly NetlinkSocket _socket = new(NETLINK_ROUTE);
    private readonly HostProgram _programs;
    private readonly NftablesBackend _nftables = new();
    private readonly LinuxNat _nat;
    private readonly LinuxForward _forward;
    private readonly ForeignRules _foreignRules;
    private readonly CniConfiguration _cni;
    private readonly LinuxHostReader _reader;
    private readonly LinuxRoutes _routes;
    private readonly LinuxPolicyRules _policyRules;
    private readonly LinuxProbeAddress _probeAddress;
    private readonly LinuxTunnel _tunnel;
    private readonly LinuxGuards _guards = new(TimeProvider.System);
    private readonly RouteNotifications _routeNotifications;
    private readonly RuleNotifications _ruleNotifications;

    public LinuxHost(LinuxHostOptions options)
    {
        _readsReservation = options.ReadsReservation;
        _sysctl = options.ProcSysNet;
        _programs = new(options.ProgramFolders, options.ProgramTime, TimeProvider.System);
        IptablesPrograms nft = new(_programs, IptablesFlavour.Nft), legacy = new(_programs, IptablesFlavour.Legacy);
        _nat = new(options, _nftables, nft, legacy);
        _forward = new(() => _nftables.ForeignTables, nft, legacy);
        _foreignRules = new(() => _nftables.ForeignTables, [nft, legacy]);
        _cni = new(options.Cni, Conflist.Format);
        _routes = new(_socket, options.RouteProtocol);
        _policyRules = new(_socket, options.RouteProtocol);
        _probeAddress = new(_socket, options.RouteProtocol);
        _tunnel = new(_socket, _sysctl);
        _reader = new(_socket, options, _policyRules, _probeAddress);
        _routeNotifications = new(options.RouteProtocol, _socket.PortId, TimeProvider.System);
        _ruleNotifications = new(port => port == _nftables.PortId || port == _guards.PortId, _guards.News);
    }

    public HostState Read(IReadOnlyList<Ip> apiServers)
    {
        _routeNotifications.BeginRead();
        return WithTunnel(_reader.Read(apiServers)) with { UsesOwnCni = _cni.InUse is { IsOurs: true } };
    }

    public HostState ReadBriefly() => WithTunnel(_reader.ReadBriefly());

    public ApplyResult Apply(HostChanges changes, ApplyMode mode)
    {
        _routeNotifications.SetPlan(changes.Plan, changes.Host.PolicyRules);
        _reader.SetPlan(changes.Plan);
        _programs.BeginPass();
        long before = NetlinkWrites;
        bool writes = mode == ApplyMode.Change;
        Attempts attempts = new();

        // No pod may start before its network is complete, or while it is removed.
        RemoveCni(changes, mode, attempts);
        if (writes)
            ApplySettings(changes, attempts);
        MakeTunnel(changes, writes, attempts);
        ApplyRoutesAndNat(changes, writes, attempts);
        RemoveTunnel(changes, writes, attempts);
        IReadOnlyList<ProbeObstacle> probeObstacles =
            _probeAddress.Apply(changes.ProbeRoutes, changes.Plan.ProbeAddresses, writes, attempts);
        ApplyForward(changes, writes, attempts);
        if (writes)
            ApplyNeighboursAndConntrack(changes, attempts);
        WriteCni(changes, mode, attempts);
        return Found(changes, attempts) with { ProbeObstacles = probeObstacles, NetlinkWrites = NetlinkWrites - before };
    }

    public ImmutableArray<GuardDrops> GuardDrops() => _guards.Drops();

    public Task WatchAsync(Action<WakeCauses> wake, CancellationToken cancellationToken)
    {
        _cni.Changed = () => wake(WakeCauses.Cni);
        return LinuxWatch.RunAsync(_routeNotifications, _ruleNotifications, wake, cancellationToken);
    }

    public void Dispose()
    {
        _cni.Dispose();
        _nat.Dispose();
        _guards.Dispose();
        _socket.Dispose();
    }

    private HostState WithTunnel(HostState read)
    {
        CniReservation reservation = _readsReservation ? _cni.ReadReservation() : CniReservation.Complete;
        return read with
        {
            Tunnel = _tunnel.Read(read.Interfaces),
            GuardObstacle = _guards.Obstacle(),
            SourceObstacle = reservation.Obstacle,
            ReservedSubnets = reservation.Subnets,
        };
    }

    private long NetlinkWrites => _socket.Writes + _nftables.Writes + _guards.Writes;

    // What foreign rules and policy rules do is asked for when everything is in its place.
    private ApplyResult Found(HostChanges changes, Attempts attempts) => new ApplyResult()
    {
        NatBackend = _nat.Choice,
        GuardChange = attempts.Done(HostPart.Guards),
        TunnelChange = attempts.Done(HostPart.Tunnel),
        CniChange = attempts.Done(HostPart.Cni),
        Cni = _cni.InUse,
        CniLeft = _cni.Left,
        Overrides = FindOverrides(changes),
        Leftovers = _foreignRules.Find(changes),
        Doubts = _foreignRules.Doubts,
        Obstacles = [.. _foreignRules.Losses, .. _forward.Obstacles, .. _cni.Obstacles],
        RulesWriter = _ruleNotifications.Writer,
        Failures = attempts.Failures,
    }.WithRules(attempts.Done(HostPart.Nat), attempts.Done(HostPart.Forward), changes.HoldsRules);

    private void RemoveCni(HostChanges changes, ApplyMode mode, Attempts attempts)
    {
        bool removes = changes is { ChangesCni: true, Cni: null };
        attempts.Try(HostPart.Cni, "remove the CNI configuration", removes, () => ApplyCni(null, mode, attempts));
    }

    private void WriteCni(HostChanges changes, ApplyMode mode, Attempts attempts)
    {
        // A refused route concerns the pods of one peer; without the configuration this node's pods would have no network at all.
        bool isReady = attempts.Failures.All(f => f.Part is
            HostPart.NeighbourThresholds or HostPart.Neighbours or HostPart.Routes or HostPart.PolicyRules or
            HostPart.ProbeAddress or HostPart.Guards or HostPart.Tunnel);
        bool writes = changes is { ChangesCni: true, Cni: not null } && isReady;
        attempts.Try(HostPart.Cni, "write the CNI configuration", writes, () => ApplyCni(changes.Cni, mode, attempts));
    }

    private void ApplyCni(CniPlan? desired, ApplyMode mode, Attempts attempts) =>
        attempts.Did(HostPart.Cni, mode == ApplyMode.Change ? _cni.Apply(desired) : _cni.Preview(desired));

    // What comes out of the tunnel without guards reaches host sockets: without them there is no link, or it is down.
    private void MakeTunnel(HostChanges changes, bool writes, Attempts attempts)
    {
        attempts.Did(HostPart.Tunnel, _tunnel.RemoveStrays(changes.Tunnel, writes, attempts));
        if (changes.ChangesGuards)
            attempts.Did(HostPart.Guards, _guards.Make(changes.Guards, changes.ReadsGuardsAgain, writes, attempts));
        bool mayDiffer = changes is { ReadsGuardsAgain: true, ChangesGuards: false };
        if (writes && changes is { Host.Tunnel: { IsOurs: true } link, Tunnel.Keeps: true } &&
            !_guards.AreInstalled(changes.Guards, mayDiffer))
            _tunnel.Close(link, attempts);
        else if (!attempts.Refused(HostPart.Guards))
            attempts.Did(HostPart.Tunnel, _tunnel.Make(changes.Tunnel, writes, attempts));
    }

    private void RemoveTunnel(HostChanges changes, bool writes, Attempts attempts)
    {
        attempts.Did(HostPart.Tunnel, _tunnel.Remove(changes.Tunnel, writes, attempts));
        if (changes.ChangesGuards && !attempts.Refused(HostPart.Tunnel))
            attempts.Did(HostPart.Guards, _guards.Remove(changes.Guards, changes.ReadsGuardsAgain, writes, attempts));
    }

    private void ApplySettings(HostChanges changes, Attempts attempts)
    {
        _reader.Save();
        _sysctl.TurnDadOff(changes.WithoutDad);
        EnableForwarding(changes, attempts);
    }

    private void EnableForwarding(HostChanges changes, Attempts attempts)
    {
        attempts.Try(HostPart.ForwardingIPv4, "turn IPv4 forwarding on", changes.EnableForwardingIPv4, () =>
        {
            if (changes.Host.Forwarding.IPv4 != true)
                _sysctl.EnableForwardingIPv4();
            foreach (string link in changes.ForwardIPv4On)
                _sysctl.EnableForwardingIPv4On(link);
        });
        bool changesIPv6 = changes.EnableForwardingIPv6 || changes.AcceptRa.Count > 0;
        attempts.Try(HostPart.ForwardingIPv6, "turn IPv6 forwarding on", changesIPv6, () =>
        {
            if (changes.EnableForwardingIPv6)
                _sysctl.EnableForwardingIPv6(changes.AcceptRa);
            else
                _sysctl.SetAcceptRa(changes.AcceptRa);
        });
    }

    // A connection keeps the source address that it began with: exemptions are added before the routes, and removed after them.
    // iptables is an exception: a program that hangs would delay the routes until its timeout, which is worse.
    private void ApplyRoutesAndNat(HostChanges changes, bool writes, Attempts attempts)
    {
        bool changesNat = writes && !changes.HoldsRules;
        bool begun = attempts.Try(HostPart.Nat, ApplyNat, changes.ChangesNat, () =>
            _nat.BeforeRoutes(changes.Nat, changes.ReadsRulesAgain, changesNat));
        if (writes)
            ApplyRoutes(changes, attempts);
        attempts.Try(HostPart.Nat, ApplyNat, changes.ChangesNat && begun, () =>
            attempts.Did(HostPart.Nat, _nat.AfterRoutes(changes.Nat, changes.ReadsRulesAgain, changesNat)));
    }

    private void ApplyRoutes(HostChanges changes, Attempts attempts)
    {
        _routes.Apply(changes.Routes, attempts.Failures);
        _policyRules.Apply(changes.PolicyRules, attempts);
    }

    private void ApplyForward(HostChanges changes, bool writes, Attempts attempts)
    {
        bool changesRules = writes && !changes.HoldsRules;
        attempts.Try(HostPart.Forward, CompareForward, changes.ChangesForward, () =>
        {
            foreach ((string what, Action apply) in _forward.Compare(
                changes.ForwardAccept, changes.ReadsRulesAgain, e => attempts.Fail(HostPart.Forward, CompareForward, e)))
            {
                if (!changesRules || attempts.Try(HostPart.Forward, "accept pods' packets in chain FORWARD", wanted: true, apply))
                    attempts.Did(HostPart.Forward, what);
            }
        });
    }

    // Neither routes nor rules depend on these.
    private void ApplyNeighboursAndConntrack(HostChanges changes, Attempts attempts)
    {
        attempts.Try(
            HostPart.NeighbourThresholds, "raise the neighbour table's thresholds", changes.Peers > 0,
            () => _sysctl.RaiseNeighbourThresholds(changes.Peers));
        attempts.Try(
            HostPart.Nat, "delete connections that are not masqueraded", _nat.HasPendingDeletion,
            () => _nat.DeleteUnmasqueraded(changes.PodCidrs, changes.Host.Addresses.Select(a => a.Address).ToHashSet()));
        _routes.DeleteNeighbours(changes.ForgetNeighbours, attempts.Failures);
    }

    private IReadOnlyList<RouteOverride> FindOverrides(HostChanges changes) =>
        !changes.FindsOverrides ||
        changes.Host is { PolicyRules.IsEmpty: true, SourceRoutes.IsEmpty: true, ForeignLocalRoutes.IsEmpty: true }
            ? []
            : Overrides.Find(changes.Plan, changes.Host, new LinuxRouteLookup(_socket));
}
