using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Cni;
using HostGw.Platform.Windows.Hns;

namespace HostGw.Platform.Windows;

/// <summary>A Windows host: IP Helper API for routes and forwarding, HNS for the pods' network. The CNI plugin masquerades.</summary>
[SupportedOSPlatform("windows")]
internal sealed class WindowsHost : IHostNetwork
{
    private static readonly NatBackendChoice Plugin =
        new(OutBoundNat.PolicyType, "on Windows the CNI plugin sets it on every pod's endpoint");

    private readonly WindowsHostOptions _options;
    private readonly OwnedRoutes _owned;
    private readonly string _stateProblem;
    private readonly WindowsHostReader _reader;
    private readonly WindowsRoutes _routes;
    private readonly CniConfiguration _cni;
    private readonly WindowsNews _news = new();
    private readonly WindowsOverrides _overrides = new(NetIo.BestRoute);
    private bool _hasPodNetwork;

    public WindowsHost(WindowsHostOptions options)
    {
        _options = options;
        OwnedRoutesFile file = new(options.StateDirectory);
        _owned = file.Read(out _stateProblem);
        _reader = new(options, _owned);
        _routes = new(_owned, file);
        _cni = new(options.Cni, WinBridgeConfig.Format(options.Network));
    }

    public HostState Read(IReadOnlyList<Ip> apiServers)
    {
        HostState state = _reader.Read(apiServers);
        _hasPodNetwork = state.Windows?.PodEndpoint is not null;
        return state;
    }

    public ApplyResult Apply(HostChanges changes, ApplyMode mode)
    {
        _news.Expect(changes.Plan);
        Attempts attempts = new();
        List<WindowsException> unreadable = [];
        List<string> missing = [.. MissingFamilies.Of(changes.Plan, changes.Host)];
        string cni = "", network = "", nat = "";
        // No pod may start while its network is removed.
        attempts.Try(
            HostPart.Cni, "remove the CNI configuration", changes is { ChangesCni: true, Cni: null }, () => cni = ApplyCni(null, mode));
        if (mode == ApplyMode.Change)
            network = PrepareNetwork(changes, attempts, unreadable, missing);
        // The exemption of a new peer before its route.
        attempts.Try(
            HostPart.Nat, "set OutBoundNAT on pods' endpoints", changes.ChangesNat && _options.CorrectOutBoundNat,
            () => nat = SetNat(changes, mode, unreadable));
        if (mode == ApplyMode.Change)
            ApplyRoutes(changes, attempts);
        attempts.Try(
            HostPart.Cni, "write the CNI configuration",
            changes is { ChangesCni: true, Cni: not null } && MayWriteCni(attempts, mode), () => cni = ApplyCni(changes.Cni, mode));
        ApplyResult result = new()
        {
            Failures = attempts.Failures,
            NatBackend = changes.Nat is null ? null : Plugin,
            CniChange = cni,
            Cni = _cni.InUse,
            Leftovers = changes.FindsLeftovers ? [] : null,
            Overrides = changes.FindsOverrides ? _overrides.Find(changes) : [],
            Obstacles = [.. Obstacles(network, unreadable, mode == ApplyMode.Change && changes.Cni is not null), .. missing.Distinct()],
        };
        return result.WithRules(nat, "", changes.HoldsRules);
    }

    public async Task WatchAsync(Action<WakeCauses> wake, CancellationToken cancellationToken)
    {
        _cni.Changed = () => wake(WakeCauses.Cni);
        using WindowsWatch watch = new(_news, wake);
        // Changes between the last read and the start of the watch were not reported.
        wake(WakeCauses.Start);
        await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose() => _cni.Dispose();

    private string MissingNetwork =>
        $"the pods' network is not there: no interface {string.Join(" or ", _options.PodEndpoints)}, hence no CNI configuration " +
        "(windows.createNetwork makes it; windows.network names another)";

    // One bad peer's route or neighbour must not keep pods from starting.
    private bool MayWriteCni(Attempts attempts, ApplyMode mode) =>
        attempts.Failures.All(f => f.Part is HostPart.Neighbours or HostPart.Routes) && (_hasPodNetwork || mode == ApplyMode.Preview);

    private IReadOnlyList<string> Obstacles(string network, List<WindowsException> unreadable, bool isNeeded) =>
    [
        .. ((string[])[network.Length > 0 || !isNeeded || _hasPodNetwork ? network : MissingNetwork, _stateProblem])
            .Where(p => p.Length > 0),
        .. Unreadable(unreadable),
        .. _cni.Obstacles,
    ];

    // Read more than once a pass, and one obstacle however many there are.
    private static string[] Unreadable(List<WindowsException> errors) => errors.Select(e => e.Message).Distinct().ToArray() switch
    {
        [] => [],
        [var only] => [$"HostGw goes on without an object of HNS that cannot be read: {only}"],
        [var first, .. var more] => [$"HostGw goes on without {more.Length + 1} objects of HNS that cannot be read, the first: {first}"],
    };

    private void ApplyRoutes(HostChanges changes, Attempts attempts)
    {
        _routes.Apply(changes.Routes, changes.Host, attempts.Failures);
        foreach (Neighbour neighbour in changes.ForgetNeighbours)
            Forget(neighbour, changes.Host, attempts.Failures);
    }

    // A new interface wakes a pass, which installs the routes over it.
    private string PrepareNetwork(
        HostChanges changes, Attempts attempts, List<WindowsException> unreadable, List<string> missing)
    {
        string problem = "";
        Prefix podCidr = changes.PodCidrs.FirstOrDefault(p => p.IsIPv4);
        attempts.Try(HostPart.PodNetwork, "keep the pods' HNS network", _options.CreateNetwork && !podCidr.IsNone,
            () => problem = PodNetwork.Ensure(_options.Network, podCidr, changes.UplinkIPv4, unreadable));
        if (changes.EnableForwardingIPv4)
            EnableForwarding(HostPart.ForwardingIPv4, changes.UplinkIPv4, changes.Host, attempts, missing);
        if (changes.EnableForwardingIPv6)
            EnableForwarding(HostPart.ForwardingIPv6, changes.UplinkIPv6, changes.Host, attempts, missing);
        return problem;
    }

    private string SetNat(HostChanges changes, ApplyMode mode, List<WindowsException> unreadable) =>
        changes.HoldsRules || mode == ApplyMode.Preview
        ? EndpointNat.Preview(_options.Network, changes.Nat, unreadable)
        : EndpointNat.Apply(_options.Network, changes.Nat, unreadable);

    private string ApplyCni(CniPlan? desired, ApplyMode mode) =>
        mode == ApplyMode.Change ? _cni.Apply(desired)
        : desired is null || _hasPodNetwork ? _cni.Preview(desired)
        : $"none, for {MissingNetwork}";

    private static void EnableForwarding(HostPart part, string? uplink, HostState host, Attempts attempts, List<string> missing)
    {
        bool ipv6 = part == HostPart.ForwardingIPv6, hasFamily = true;
        foreach (HostInterface link in host.Interfaces.Where(i => i.Name == uplink || i.Index == host.Windows?.PodEndpoint?.Index))
        {
            attempts.Try(part, $"turn {(ipv6 ? "IPv6" : "IPv4")} forwarding on for {link.Name}", ipv6 ? link.HasIPv6 : link.HasIPv4,
                () => hasFamily = NetIo.EnableForwarding(link.Luid, ipv6));
            // Although Windows has just listed it.
            if (!hasFamily)
                missing.Add(MissingFamilies.Text(link.Name, isIPv4: !ipv6));
            hasFamily = true;
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

/// <summary>The settings of a Windows host.</summary>
internal sealed record WindowsHostOptions
{
    /// <summary>Holds the list of our routes.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>Name of the pods' HNS network.</summary>
    public required string Network { get; init; }

    /// <summary>Create that network if it is missing.</summary>
    public bool CreateNetwork { get; init; }

    /// <summary>Keep OutBoundNAT of running pods up to date.</summary>
    public bool CorrectOutBoundNat { get; init; }

    public CniOptions Cni { get; init; } = new();

    public Func<IReadOnlyList<Ip>> Resolvers { get; init; } = static () => [];

    /// <summary>The names of the host's interface in that network, by start-kubelet.ps1 and by flannel.</summary>
    public ImmutableArray<string> PodEndpoints => [$"vEthernet ({Network})", $"vEthernet ({Network}_ep)"];
}

/// <summary>Windows answered a request with an error.</summary>
/// <param name="code">A Win32 error code (IP Helper API) or an HRESULT (HNS).</param>
internal sealed class WindowsException(string request, uint code, string? explanation = null)
    : HostNetworkException(Describe(request, code, explanation))
{
    public uint Code { get; } = code;

    /// <summary>How this program gets the rights that it needs.</summary>
    public const string Rights =
        @"in a HostProcess container with runAsUserName NT AUTHORITY\SYSTEM (as deploy/hostgw-windows.yaml does), or as an administrator";

    public override string Cure => IsDenied ? $"run it {Rights}" : "";

    /// <summary>This process lacks the rights.</summary>
    public bool IsDenied => Win32Code == Win32Error.ERROR_ACCESS_DENIED;

    public override bool IsNotFound => Win32Code is Win32Error.ERROR_FILE_NOT_FOUND or Win32Error.ERROR_NOT_FOUND
        or HnsError.HCN_E_NETWORK_NOT_FOUND or HnsError.HCN_E_ENDPOINT_NOT_FOUND;

    // An HRESULT of facility 7 is a Win32 error: 0x80070005 is ERROR_ACCESS_DENIED. Other HRESULTs stay as they are.
    private uint Win32Code => Code >> 16 == 0x8007 ? Code & ushort.MaxValue : Code;

    // With the number: it can be looked up, and Windows has no text for some errors.
    private static string Describe(string request, uint code, string? explanation)
    {
        string number = code > ushort.MaxValue ? $"0x{code:X8}" : code.ToString(CultureInfo.InvariantCulture);
        string reason = explanation ?? (OperatingSystem.IsWindows() ? Marshal.GetPInvokeErrorMessage((int)code).Trim() : "");
        return reason.Length > 0 ? $"{request}: {reason} (error {number})" : $"{request}: error {number}";
    }
}

/// <summary>The errors that this code tells apart (winerror.h).</summary>
internal static class Win32Error
{
    public const uint ERROR_FILE_NOT_FOUND = 2;
    public const uint ERROR_ACCESS_DENIED = 5;
    public const uint ERROR_INVALID_DATA = 13;
    public const uint ERROR_INVALID_PARAMETER = 87;
    public const uint ERROR_NOT_FOUND = 1168;
}

/// <summary>The same of HNS.</summary>
internal static class HnsError
{
    public const uint HCN_E_NETWORK_NOT_FOUND = 0x803B0001;
    public const uint HCN_E_ENDPOINT_NOT_FOUND = 0x803B0002;
    public const uint HCN_E_ENDPOINT_ALREADY_ATTACHED = 0x803B0014;
}
