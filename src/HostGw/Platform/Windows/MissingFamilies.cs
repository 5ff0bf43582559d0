using HostGw.Planning;

namespace HostGw.Platform.Windows;

/// <summary>
/// Interfaces without a protocol that this node's pods need, because it is not bound to them: they get no route of that family. Pure.
/// </summary>
internal static class MissingFamilies
{
    public static IEnumerable<string> Of(Plan plan, HostState host) => plan.Scope != PlanScope.Everything ? [] :
    [
        .. Of(plan, host, isIPv4: true),
        .. Of(plan, host, isIPv4: false),
    ];

    public static string Text(string name, bool isIPv4)
    {
        string family = isIPv4 ? "IPv4" : "IPv6";
        return $"{name} has no {family}, which this node's pods have: there is no {family} route over it. " +
            $"Enable-NetAdapterBinding -Name {PowerShell.Quote(name)} -ComponentID {(isIPv4 ? "ms_tcpip" : "ms_tcpip6")} binds it; " +
            $"or give this node no {family} podCIDR";
    }

    private static IEnumerable<string> Of(Plan plan, HostState host, bool isIPv4)
    {
        if (!plan.OwnPodCidrs.Any(p => p.IsIPv4 == isIPv4))
            return [];
        HostInterface?[] needed = [plan.InterfaceIPv4.Interface, plan.InterfaceIPv6.Interface, host.Windows?.PodEndpoint];
        return needed.OfType<HostInterface>().Where(i => !(isIPv4 ? i.HasIPv4 : i.HasIPv6))
            .Select(i => i.Name).Distinct().Select(n => Text(n, isIPv4));
    }
}
