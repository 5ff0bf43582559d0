namespace HostGw.Planning;

/// <summary>The address inside a pod subnet that its node answers for: the first on Linux, the second on Windows.</summary>
/// <remarks>Windows keeps the first for the adapter that bridges the host network and the pod network.</remarks>
internal static class PodGateway
{
    /// <summary>None where the prefix has no such address, or only its network or broadcast address.</summary>
    public static Ip Of(Prefix podCidr, bool isWindows)
    {
        Ip gateway = podCidr.Aligned.Address.Plus(isWindows ? 2u : 1u);
        return podCidr.Contains(gateway) && gateway.CompareTo(podCidr.Last) < 0 ? gateway : default;
    }
}
