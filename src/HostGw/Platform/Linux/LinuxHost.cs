using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Rtnetlink;
using static HostGw.Platform.Linux.Rtnetlink.Rtnetlink;

namespace HostGw.Platform.Linux;

/// <summary>A Linux host: rtnetlink for routes, nf_tables for NAT, /proc/sys/net for forwarding.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxHost : IHostNetwork
{
    private readonly LinuxHostOptions _options;
    private readonly NetlinkSocket _socket = new(NETLINK_ROUTE);
    private readonly LinuxHostReader _reader;
    private readonly LinuxRoutes _routes;
    private readonly RouteNews _news;

    public LinuxHost(LinuxHostOptions options)
    {
        _options = options;
        _reader = new(_socket, options);
        _routes = new(_socket, options.RouteProtocol);
        _news = new(options.RouteProtocol, _socket.PortId);
    }

    public long Writes => _socket.Writes;

    public HostState Read(Ip apiServer) => _reader.Read(apiServer);

    public IReadOnlyList<HostFailure> Apply(HostChanges changes)
    {
        List<HostFailure> failures = [];
        ProcSysNet sysctl = _options.ProcSysNet;
        Attempt("turn IPv4 forwarding on", changes.EnableForwardingIPv4, sysctl.EnableForwardingIPv4, failures);
        Attempt("turn IPv6 forwarding on", changes.EnableForwardingIPv6, sysctl.EnableForwardingIPv6, failures);
        Attempt("raise the neighbour table's thresholds", changes.Peers > 0, () => sysctl.RaiseNeighbourThresholds(changes.Peers), failures);
        Attempt("change routes", !changes.Routes.IsEmpty, () => _routes.Apply(changes.Routes, failures), failures);
        Attempt("forget neighbours", changes.ForgetNeighbours.Count > 0, () => _routes.Forget(changes.ForgetNeighbours, failures), failures);
        return failures;
    }

    public Task WatchAsync(Action<WakeCauses> wake, CancellationToken cancellationToken) => LinuxWatch.RunAsync(_news, wake, cancellationToken);

    public void Expect(Plan plan) => _news.Expect(plan);

    public void Dispose() => _socket.Dispose();

    // One thing that fails never keeps the others from being done.
    private static void Attempt(string what, bool wanted, Action change, List<HostFailure> failures)
    {
        if (!wanted)
            return;
        try
        {
            change();
        }
        catch (HostNetworkException e)
        {
            failures.Add(new(what, null, e));
        }
    }
}

/// <summary>What a Linux host needs to be told.</summary>
internal sealed record LinuxHostOptions
{
    /// <summary>rtm_protocol of our routes.</summary>
    public required byte RouteProtocol { get; init; }

    public required ProcSysNet ProcSysNet { get; init; }

    public string ResolvConf { get; init; } = "/etc/resolv.conf";
}
