using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Cni;
using HostGw.Platform.Windows.Hns;

namespace HostGw.Platform.Windows;

/// <summary>A Windows host: the IP Helper API for routes and forwarding, HNS for the pods' network, a file for CNI. Its NAT is the CNI plugin's.</summary>
[SupportedOSPlatform("windows")]
internal sealed class WindowsHost : IHostNetwork
{
    private static readonly NatBackendChoice Plugin = new(OutBoundNat.PolicyType, "on Windows the CNI plugin sets it on every pod's endpoint");

    private readonly WindowsHostOptions _options;
    private readonly OwnedRoutes _owned;
    private readonly string _stateProblem;
    private readonly WindowsHostReader _reader;
    private readonly WindowsRoutes _routes;
    private readonly CniConfiguration _cni;
    private readonly WindowsNews _news = new();
    private bool _podNetworkStands;

    public WindowsHost(WindowsHostOptions options)
    {
        _options = options;
        OwnedRoutesFile file = new(options.StateDirectory);
        _owned = file.Read(out _stateProblem);
        _reader = new(options, _owned);
        _routes = new(_owned, file);
        _cni = new(options.Cni, WinBridgeConfig.Format(options.Network));
    }

    public long Writes => _routes.Writes;

    public IReadOnlyList<string> Obstacles => [.. _stateProblem.Length > 0 ? [_stateProblem] : Array.Empty<string>(), .. _cni.Obstacles];

    public HostState Read(Ip apiServer, bool anew = true)
    {
        HostState state = _reader.Read(apiServer);
        _podNetworkStands = state.Windows?.PodEndpoint is not null;
        return state;
    }

    public string PreviewNat(NatPlan? desired) => _options.CorrectOutBoundNat ? EndpointNat.Preview(_options.Network, desired) : "";

    public string PreviewForward(ImmutableArray<Prefix> accept) => "";

    public string PreviewCni(CniPlan? desired) => desired is null || _podNetworkStands ? _cni.Preview(desired) : $"none, for {MissingNetwork}";

    public IReadOnlyList<Leftover> FindLeftovers(Plan plan) => [];

    public IEnumerable<string> Remains(HostState state) => RemainingForwarding.OnWindows(state.Interfaces);

    public ApplyResult Apply(HostChanges changes, HostState host)
    {
        List<HostFailure> failures = [];
        string cni = "", network = "", nat = "";
        // No pod is started while its way is taken away, nor before it is there.
        Attempt(HostPart.Cni, "remove the CNI configuration", changes is { ChangesCni: true, Cni: null }, () => cni = _cni.Apply(null), failures);
        Prefix podCidr = changes.PodCidrs.FirstOrDefault(p => p.IsIPv4);
        // What comes of it, a new interface, is announced, and the next pass puts routes on it.
        Attempt(HostPart.PodNetwork, "keep the pods' HNS network", _options.CreateNetwork && !podCidr.IsNone,
            () => network = PodNetwork.Ensure(_options.Network, podCidr, changes.UplinkIPv4), failures);
        EnableForwarding(HostPart.ForwardingIPv4, changes.EnableForwardingIPv4, changes.UplinkIPv4, host, failures);
        EnableForwarding(HostPart.ForwardingIPv6, changes.EnableForwardingIPv6, changes.UplinkIPv6, host, failures);
        // A peer joins: exempt first, then the route.
        Attempt(HostPart.Nat, "set OutBoundNAT on pods' endpoints", changes.ChangesNat && _options.CorrectOutBoundNat, () => nat = SetNat(changes), failures);
        _routes.Apply(changes.Routes, host, failures);
        foreach (Neighbour neighbour in changes.ForgetNeighbours)
            Forget(neighbour, host, failures);
        bool pluginWorks = failures.All(f => f.Part == HostPart.Neighbours) && _podNetworkStands;
        Attempt(HostPart.Cni, "write the CNI configuration", changes is { ChangesCni: true, Cni: not null } && pluginWorks, () => cni = _cni.Apply(changes.Cni), failures);
        string missing = changes.Cni is null || _podNetworkStands ? "" : MissingNetwork;
        return new(failures, changes.HoldsRules ? "" : nat)
        {
            NatBackend = changes.Nat is null ? null : Plugin,
            HeldRules = changes.HoldsRules && nat.Length > 0 ? new(nat, null) : default,
            CniChange = cni,
            Cni = _cni.Standing,
            Obstacles = [.. ((string[])[network, network.Length > 0 ? "" : missing]).Where(p => p.Length > 0), .. Obstacles],
        };
    }

    public async Task WatchAsync(Action<WakeCauses> wake, CancellationToken cancellationToken)
    {
        _cni.Changed = () => wake(WakeCauses.Cni);
        using WindowsWatch watch = new(_news, wake);
        // What changed between an earlier pass and this moment was announced to nobody.
        wake(WakeCauses.Start);
        await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Expect(Plan plan) => _news.Expect(plan);

    public void Dispose() => _cni.Dispose();

    private string MissingNetwork =>
        $"the pods' network is not there: no interface {string.Join(" or ", _options.PodEndpoints)}, hence no CNI configuration (windows.createNetwork makes it; windows.network names another)";

    private string SetNat(HostChanges changes) =>
        changes.HoldsRules ? EndpointNat.Preview(_options.Network, changes.Nat) : EndpointNat.Apply(_options.Network, changes.Nat);

    private static void EnableForwarding(HostPart part, bool wanted, string? uplink, HostState host, List<HostFailure> failures)
    {
        bool ipv6 = part == HostPart.ForwardingIPv6;
        foreach (HostInterface link in host.Interfaces.Where(i => i.Name == uplink || i.Index == host.Windows?.PodEndpoint?.Index))
            Attempt(part, $"turn {(ipv6 ? "IPv6" : "IPv4")} forwarding on for {link.Name}", wanted, () => NetIo.EnableForwarding(link.Luid, ipv6), failures);
    }

    private static void Forget(Neighbour neighbour, HostState host, List<HostFailure> failures)
    {
        try
        {
            NetIo.ForgetNeighbour(neighbour.Address, host.Interface(neighbour.Interface)?.Luid ?? 0);
        }
        catch (WindowsException e)
        {
            if (!e.IsNotFound)
                failures.Add(new(HostPart.Neighbours, $"forget neighbour {neighbour.Address}", new(Prefix.Host(neighbour.Address), 0), e));
        }
    }

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
