namespace HostGw.Platform.Linux;

/// <summary>What a Linux host needs to be told.</summary>
internal sealed record LinuxHostOptions
{
    /// <summary>rtm_protocol of our routes.</summary>
    public required byte RouteProtocol { get; init; }

    public required ProcSysNet ProcSysNet { get; init; }

    public string ResolvConf { get; init; } = "/etc/resolv.conf";
}
