using HostGw.Planning;

namespace HostGw.Platform;

/// <summary>Forwarding stays on after us. Sentences that say so, with the command that turns it off.</summary>
internal static class RemainingForwarding
{
    public static IEnumerable<string> Of(HostState state) =>
        state.Windows is null ? OnLinux(state.Forwarding) : OnWindows(state.Interfaces);

    public static IEnumerable<string> OnLinux(ForwardingState forwarding)
    {
        if (forwarding.IPv4 == true)
            yield return Sentence("IPv4", "", "sysctl -w net.ipv4.ip_forward=0");
        if (forwarding.IPv6 == true)
            yield return Sentence("IPv6", "", "sysctl -w net.ipv6.conf.all.forwarding=0");
    }

    public static IEnumerable<string> OnWindows(IEnumerable<HostInterface> interfaces)
    {
        foreach (HostInterface link in interfaces.Where(i => !i.IsLoopback))
        {
            if (link.ForwardsIPv4)
                yield return OnWindows("IPv4", link.Name);
            if (link.ForwardsIPv6)
                yield return OnWindows("IPv6", link.Name);
        }
    }

    private static string OnWindows(string family, string name) => Sentence(
        family, $" of {name}", $"Set-NetIPInterface -InterfaceAlias '{name.Replace("'", "''", StringComparison.Ordinal)}' -AddressFamily {family} -Forwarding Disabled");

    private static string Sentence(string family, string where, string command) =>
        $"{family} forwarding{where} stays on, for others may need it; off: {command}";
}
