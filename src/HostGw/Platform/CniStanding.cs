namespace HostGw.Platform;

/// <summary>The CNI configuration that the container runtime takes.</summary>
/// <param name="File">Its path.</param>
/// <param name="IsOurs">False: another plugin's takes precedence over ours, which is therefore not there.</param>
internal sealed record CniStanding(string File, bool IsOurs);
