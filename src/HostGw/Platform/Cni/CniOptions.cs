namespace HostGw.Platform.Cni;

/// <summary>Where CNI configurations and plugins are, and whether ours comes before all others.</summary>
internal sealed record CniOptions
{
    public bool TakeOver { get; init; }

    public string ConfigDirectory { get; init; } = "/etc/cni/net.d";

    public string BinDirectory { get; init; } = "/opt/cni/bin";
}
