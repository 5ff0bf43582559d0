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

    public HostState Read(Ip apiServer)
    {
        HostState state = _reader.Read(apiServer);
        _podNetworkStands = state.Windows?.PodEndpoint is not null;
        return state;
    }

    public ApplyResult Apply(HostChanges changes, ApplyMode mode)
    {
        _news.Expect(changes.Plan);
        Attempts attempts = new();
        string cni = "", network = "", nat = "";
        // No pod may start while its network is taken away.
        attempts.Try(HostPart.Cni, "remove the CNI configuration", changes is { ChangesCni: true, Cni: null }, () => cni = ApplyCni(null, mode));
        if (mode == ApplyMode.Change)
            network = PrepareNetwork(changes, attempts);
        // A peer joins: exempt first, then the route.
        attempts.Try(HostPart.Nat, "set OutBoundNAT on pods' endpoints", changes.ChangesNat && _options.CorrectOutBoundNat, () => nat = SetNat(changes, mode));
        if (mode == ApplyMode.Change)
        {
            _routes.Apply(changes.Routes, changes.Host, attempts.Failures);
            foreach (Neighbour neighbour in changes.ForgetNeighbours)
                Forget(neighbour, changes.Host, attempts.Failures);
        }
        bool networkIsReady = attempts.Failures.All(f => f.Part is HostPart.Neighbours or HostPart.Routes) && (_podNetworkStands || mode == ApplyMode.Preview);
        attempts.Try(HostPart.Cni, "write the CNI configuration", changes is { ChangesCni: true, Cni: not null } && networkIsReady, () => cni = ApplyCni(changes.Cni, mode));
        string missing = mode == ApplyMode.Preview || changes.Cni is null || _podNetworkStands ? "" : MissingNetwork;
        ApplyResult result = new()
        {
            Failures = attempts.Failures,
            NatBackend = changes.Nat is null ? null : Plugin,
            CniChange = cni,
            Cni = _cni.Standing,
            Leftovers = changes.FindsLeftovers ? [] : null,
            Obstacles = [.. ((string[])[network, network.Length > 0 ? "" : missing, _stateProblem]).Where(p => p.Length > 0), .. _cni.Obstacles],
        };
        return result.WithRules(nat, "", changes.HoldsRules);
    }

    public async Task WatchAsync(Action<WakeCauses> wake, CancellationToken cancellationToken)
    {
        _cni.Changed = () => wake(WakeCauses.Cni);
        using WindowsWatch watch = new(_news, wake);
        // What changed between an earlier pass and this moment was announced to nobody.
        wake(WakeCauses.Start);
        await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose() => _cni.Dispose();

    private string MissingNetwork =>
        $"the pods' network is not there: no interface {string.Join(" or ", _options.PodEndpoints)}, hence no CNI configuration (windows.createNetwork makes it; windows.network names another)";

    // What comes of it, a new interface, is announced, and the next pass puts routes on it.
    private string PrepareNetwork(HostChanges changes, Attempts attempts)
    {
        string problem = "";
        Prefix podCidr = changes.PodCidrs.FirstOrDefault(p => p.IsIPv4);
        attempts.Try(HostPart.PodNetwork, "keep the pods' HNS network", _options.CreateNetwork && !podCidr.IsNone,
            () => problem = PodNetwork.Ensure(_options.Network, podCidr, changes.UplinkIPv4));
        EnableForwarding(HostPart.ForwardingIPv4, changes.EnableForwardingIPv4, changes.UplinkIPv4, changes.Host, attempts);
        EnableForwarding(HostPart.ForwardingIPv6, changes.EnableForwardingIPv6, changes.UplinkIPv6, changes.Host, attempts);
        return problem;
    }

    private string SetNat(HostChanges changes, ApplyMode mode) => changes.HoldsRules || mode == ApplyMode.Preview
        ? EndpointNat.Preview(_options.Network, changes.Nat)
        : EndpointNat.Apply(_options.Network, changes.Nat);

    private string ApplyCni(CniPlan? desired, ApplyMode mode) =>
        mode == ApplyMode.Change ? _cni.Apply(desired)
        : desired is null || _podNetworkStands ? _cni.Preview(desired)
        : $"none, for {MissingNetwork}";

    private static void EnableForwarding(HostPart part, bool wanted, string? uplink, HostState host, Attempts attempts)
    {
        bool ipv6 = part == HostPart.ForwardingIPv6;
        foreach (HostInterface link in host.Interfaces.Where(i => i.Name == uplink || i.Index == host.Windows?.PodEndpoint?.Index))
            attempts.Try(part, $"turn {(ipv6 ? "IPv6" : "IPv4")} forwarding on for {link.Name}", wanted, () => NetIo.EnableForwarding(link.Luid, ipv6));
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
}
