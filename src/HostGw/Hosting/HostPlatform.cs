using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Cni;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Windows;
using HostGw.Probes;
using HostGw.Settings;
using Microsoft.Extensions.Logging;

namespace HostGw.Hosting;

/// <summary>The one place that chooses between platforms.</summary>
internal static class HostPlatform
{
    /// <summary>How to run the program where <see cref="IsDenied"/> is true.</summary>
    public static string Rights => OperatingSystem.IsWindows() ? WindowsException.Rights : "as root, or with the capability NET_ADMIN";

    /// <exception cref="PlatformNotSupportedException">HostGw does not run on this operating system.</exception>
    /// <exception cref="HostNetworkException">The host's network cannot be opened.</exception>
    public static IHostNetwork Open(AgentSettings settings) =>
        OperatingSystem.IsLinux() ? OpenLinux(settings)
        : OperatingSystem.IsWindows() ? OpenWindows(settings)
        : throw Unsupported();

    /// <summary>The sockets of the probes.</summary>
    /// <param name="report">Takes why questions of peers are not received; empty: they are.</param>
    public static ProbeSockets OpenProbes(AgentSettings settings, Action<string> report, ILogger logger) => OperatingSystem.IsLinux()
        ? new EpollProbeSockets(settings.Policy.ProbePort, report, TimeProvider.System, logger)
        : new BoundProbeSockets(settings.Policy.ProbePort, report, TimeProvider.System, logger);

    /// <summary>Reads what only `hostgw doctor` needs.</summary>
    /// <param name="interfaces">The names of all interfaces.</param>
    public static HostFacts ReadFacts(AgentSettings settings, IReadOnlyList<string> interfaces) => OperatingSystem.IsLinux()
        ? new LinuxFacts(new(settings.ProcSysNet), Cni(settings)).Read(interfaces)
        : new() { MayChangeNetwork = Environment.IsPrivilegedProcess, Rights = WindowsException.Rights };

    /// <summary>None on Windows.</summary>
    public static IEnumerable<NeighbourThresholds> ReadNeighbourThresholds(AgentSettings settings) =>
        OperatingSystem.IsLinux() ? new ProcSysNet(settings.ProcSysNet).ReadNeighbourThresholds() : [];

    /// <exception cref="HostNetworkException">This process lacks the rights to change the host's network.</exception>
    public static void RequireRights()
    {
        if (OperatingSystem.IsLinux())
            NetAdmin.Require();
        else if (!Environment.IsPrivilegedProcess)
            throw new WindowsException("change this host's network", Win32Error.ERROR_ACCESS_DENIED);
    }

    public static bool IsDenied(Exception error) =>
        error is NetlinkException { Errno: Errno.EPERM } or WindowsException { IsDenied: true };

    /// <summary>Takes the lock that allows one agent per host; null if another process holds it.</summary>
    /// <param name="report">Takes why a part of the lock is missing.</param>
    public static IDisposable? TryTakeTurn(AgentSettings settings, Action<string> report) =>
        OperatingSystem.IsLinux() ? AgentLock.TryAcquire()
        : OperatingSystem.IsWindows() ? WindowsAgentLock.TryAcquire(StateDirectory(settings), report)
        : throw Unsupported();

    /// <summary>The process that holds the lock (0: not known), and whether it can be an agent.</summary>
    public static (int Pid, bool IsAgent) Holder(AgentSettings settings) =>
        OperatingSystem.IsLinux() ? AgentLock.Holder()
        : OperatingSystem.IsWindows() ? WindowsAgentLock.Holder(StateDirectory(settings))
        : throw Unsupported();

    [SupportedOSPlatform("linux")]
    private static LinuxHost OpenLinux(AgentSettings settings) => new(new()
    {
        RouteProtocol = settings.RouteProtocol,
        ProcSysNet = new(settings.ProcSysNet),
        NatBackend = settings.NatBackend,
        NatIptables = settings.NatIptables,
        Cni = Cni(settings),
        ReadsReservation = settings.Policy.Tunnel is { Mode: not TunnelMode.Off, Source: 0 },
        StateDirectory = settings.StateDirectory,
    });

    [SupportedOSPlatform("windows")]
    private static WindowsHost OpenWindows(AgentSettings settings) => new(new()
    {
        StateDirectory = StateDirectory(settings),
        Network = settings.WindowsNetwork,
        CreateNetwork = settings.WindowsCreateNetwork,
        CorrectOutBoundNat = settings.WindowsCorrectOutBoundNat,
        Cni = Cni(settings),
        Resolvers = WindowsResolvers.Read,
    });

    /// <summary>The neighbour table's entries for these addresses, resolved again with <paramref name="probe"/>.</summary>
    /// <exception cref="HostNetworkException">The table cannot be read.</exception>
    public static async Task<IReadOnlyList<NeighbourEntry>> ReadNeighboursAsync(
        IReadOnlySet<Neighbour> wanted, bool probe, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
            return [];
        using LinuxNeighbours neighbours = new(TimeProvider.System);
        return probe ? await neighbours.ProbeAsync(wanted, cancellationToken) : neighbours.Read(wanted);
    }

    /// <summary>Which sizes of datagrams the peers' agents answer; empty where there are no probes.</summary>
    public static async Task<IReadOnlyList<SizeAnswer>> AskSizesAsync(
        Plan plan, HostState host, AgentSettings settings, CancellationToken cancellationToken) => OperatingSystem.IsLinux()
        ? await SizeProbe.AskAsync(SizeQuestion.Of(plan, host), settings.Policy.ProbePort, cancellationToken)
        : [];

    private static CniOptions Cni(AgentSettings settings) => new()
    {
        TakeOver = settings.CniTakeOver,
        ConfigDirectory = Path.GetFullPath(settings.CniConfigDirectory),
        BinDirectory = Path.GetFullPath(settings.CniBinDirectory),
    };

    // On Windows the list of our routes needs a directory even with stateDirectory none.
    private static string StateDirectory(AgentSettings settings) => settings.StateDirectory ?? AgentSettings.DefaultStateDirectory;

    private static PlatformNotSupportedException Unsupported() => new("HostGw runs on Linux and on Windows only");
}
