using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Netlink;

namespace HostGw.Platform.Linux;

/// <summary>Reads and changes the link hostgw0 and its addresses.</summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxTunnel(NetlinkSocket socket, ProcSysNet sysctl)
{
    private readonly NetlinkWriter _request = new();
    private readonly NetlinkSocket _socket = socket;
    private readonly ProcSysNet _sysctl = sysctl;

    /// <summary>Null: there is no interface of that name.</summary>
    public TunnelLink? Read() => null;

    /// <summary>Before the routes: makes the link, and gives it its addresses.</summary>
    /// <returns>What was done, or would be, in words; empty: nothing.</returns>
    public string Make(TunnelChanges changes, bool writes, Attempts attempts) => "";

    /// <summary>After the routes: removes what is not needed any more.</summary>
    /// <inheritdoc cref="Make"/>
    public string Remove(TunnelChanges changes, bool writes, Attempts attempts) => "";
}
