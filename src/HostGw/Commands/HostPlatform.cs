using HostGw.Planning;
using HostGw.Platform;
using HostGw.Platform.Cni;
using HostGw.Platform.Linux;
using HostGw.Settings;

namespace HostGw.Commands;

/// <summary>The one place that chooses between platforms.</summary>
internal static class HostPlatform
{
    /// <exception cref="PlatformNotSupportedException">HostGw does not run on this operating system.</exception>
    /// <exception cref="HostNetworkException">The host's network cannot be opened.</exception>
    public static IHostNetwork Open(AgentSettings settings) => OperatingSystem.IsLinux()
        ? new LinuxHost(new()
        {
            RouteProtocol = settings.RouteProtocol,
            ProcSysNet = new(settings.ProcSysNet),
            NatBackend = settings.NatBackend,
            NatIptables = settings.NatIptables,
            Cni = Cni(settings),
        })
        : throw new PlatformNotSupportedException("HostGw runs on Linux only so far");

    /// <summary>What else a person who looks for a fault wants to know of this host.</summary>
    /// <param name="interfaces">The names of those that matter.</param>
    public static HostFacts ReadFacts(AgentSettings settings, IReadOnlyList<string> interfaces) => OperatingSystem.IsLinux()
        ? new LinuxFacts(new(settings.ProcSysNet), Cni(settings)).Read(interfaces)
        : new();

    /// <summary>What the host knows of these, asked for anew with <paramref name="probe"/>.</summary>
    /// <exception cref="HostNetworkException">It cannot be read.</exception>
    public static async Task<IReadOnlyList<NeighbourEntry>> ReadNeighboursAsync(IReadOnlySet<Neighbour> wanted, bool probe, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
            return [];
        using LinuxNeighbours neighbours = new(TimeProvider.System);
        return probe ? await neighbours.ProbeAsync(wanted, cancellationToken) : neighbours.Read(wanted);
    }

    private static CniOptions Cni(AgentSettings settings) =>
        new() { TakeOver = settings.CniTakeOver, ConfigDirectory = settings.CniConfigDirectory, BinDirectory = settings.CniBinDirectory };
}
