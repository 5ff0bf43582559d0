using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Windows.Hns;

namespace HostGw.Platform.Windows;

/// <summary>A Windows host: the IP Helper API for routes and forwarding. Its NAT is the CNI plugin's.</summary>
[SupportedOSPlatform("windows")]
internal sealed class WindowsHost : IHostNetwork
{
    private static readonly NatBackendChoice Cni = new("OutBoundNAT", "on Windows the CNI plugin sets it on every pod's endpoint");

    private readonly WindowsHostOptions _options;
    private readonly OwnedRoutes _owned;
    private readonly string _stateProblem;
    private readonly WindowsHostReader _reader;
    private readonly WindowsRoutes _routes;
    private readonly WindowsNews _news = new();

    public WindowsHost(WindowsHostOptions options)
    {
        _options = options;
        OwnedRoutesFile file = new(options.StateDirectory);
        _owned = file.Read(out _stateProblem);
        _reader = new(options, _owned);
        _routes = new(_owned, file);
    }

    public long Writes => _routes.Writes;

    public HostState Read(Ip apiServer) => _reader.Read(apiServer);

    public string PreviewNat(NatPlan? desired) => "";

    public string PreviewForward(ImmutableArray<Prefix> accept) => "";

    public string PreviewCni(CniPlan? desired) => "";

    public IReadOnlyList<Leftover> FindLeftovers(Plan plan) => [];

    public IEnumerable<string> Remains(HostState state) => RemainingForwarding.OnWindows(state.Interfaces);

    public ApplyResult Apply(HostChanges changes, HostState host)
    {
        List<HostFailure> failures = [];
        string networkProblem = EnsurePodNetwork(changes, failures);
        EnableForwarding(HostPart.ForwardingIPv4, changes.EnableForwardingIPv4, changes.UplinkIPv4, host, failures);
        EnableForwarding(HostPart.ForwardingIPv6, changes.EnableForwardingIPv6, changes.UplinkIPv6, host, failures);
        _routes.Apply(changes.Routes, host, failures);
        foreach (Neighbour neighbour in changes.ForgetNeighbours)
            Forget(neighbour, host, failures);
        return new(failures, "")
        {
            NatBackend = changes.Nat is null ? null : Cni,
            Obstacles = [.. ((string[])[_stateProblem, networkProblem]).Where(p => p.Length > 0)],
        };
    }

    public async Task WatchAsync(Action<WakeCauses> wake, CancellationToken cancellationToken)
    {
        using WindowsWatch watch = new(_news, wake);
        // What changed between an earlier pass and this moment was announced to nobody.
        wake(WakeCauses.Start);
        await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Expect(Plan plan) => _news.Expect(plan);

    public void Dispose()
    {
    }

    // What comes of it, a new interface, is announced, and the next pass puts routes on it.
    private string EnsurePodNetwork(HostChanges changes, List<HostFailure> failures)
    {
        Prefix podCidr = changes.PodCidrs.FirstOrDefault(p => p.IsIPv4);
        if (!_options.CreateNetwork || podCidr.IsNone)
            return "";
        try
        {
            return PodNetwork.Ensure(_options.Network, podCidr, changes.UplinkIPv4);
        }
        catch (WindowsException e)
        {
            failures.Add(new(HostPart.PodNetwork, "keep the pods' HNS network", null, e));
            return "";
        }
    }

    private static void EnableForwarding(HostPart part, bool wanted, string? uplink, HostState host, List<HostFailure> failures)
    {
        if (!wanted)
            return;
        bool ipv6 = part == HostPart.ForwardingIPv6;
        foreach (HostInterface link in host.Interfaces.Where(i => i.Name == uplink || i.Index == host.Windows?.PodEndpoint?.Index))
        {
            try
            {
                NetIo.EnableForwarding(link.Luid, ipv6);
            }
            catch (WindowsException e)
            {
                failures.Add(new(part, $"turn {(ipv6 ? "IPv6" : "IPv4")} forwarding on for {link.Name}", null, e));
            }
        }
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
