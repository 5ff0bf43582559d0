using HostGw.Platform;
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
            Cni = new() { TakeOver = settings.CniTakeOver, ConfigDirectory = settings.CniConfigDirectory, BinDirectory = settings.CniBinDirectory },
        })
        : throw new PlatformNotSupportedException("HostGw runs on Linux only so far");
}
