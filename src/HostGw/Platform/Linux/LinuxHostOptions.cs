using HostGw.Planning;
using HostGw.Platform.Cni;
using HostGw.Platform.Linux.Iptables;

namespace HostGw.Platform.Linux;

/// <summary>What a Linux host needs to be told.</summary>
internal sealed record LinuxHostOptions
{
    /// <summary>rtm_protocol of our routes.</summary>
    public required byte RouteProtocol { get; init; }

    public required ProcSysNet ProcSysNet { get; init; }

    public NatBackend NatBackend { get; init; }

    public NatIptables NatIptables { get; init; }

    public CniOptions Cni { get; init; } = new();

    /// <summary>Where the programs of iptables are looked for.</summary>
    public IReadOnlyList<string> ProgramFolders { get; init; } = HostProgram.Folders;

    public string ResolvConf { get; init; } = "/etc/resolv.conf";
}
