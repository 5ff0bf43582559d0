namespace HostGw.Planning;

/// <summary>What writes the masquerade rule.</summary>
internal enum NatBackend
{
    /// <summary>nftables where the kernel has it, else iptables.</summary>
    Auto,
    Nftables,
    Iptables,
    None,
}

/// <summary>Which of the kernel's two sets of iptables rules.</summary>
internal enum NatIptables
{
    /// <summary>The one that this host uses.</summary>
    Auto,
    Nft,
    Legacy,
}

/// <summary>The backend that a pass used, and why that one.</summary>
internal sealed record NatBackendChoice(string Name, string Why);
