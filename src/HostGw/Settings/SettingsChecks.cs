using HostGw.Planning;

namespace HostGw.Settings;

/// <summary>What only several settings together can get wrong.</summary>
internal static class SettingsChecks
{
    public static IEnumerable<string> Check(AgentSettings settings, SettingValues values)
    {
        Policy policy = settings.Policy;
        if (policy.ClusterRoute == ClusterRouteMode.On && !policy.ClusterCidrs.Any(p => p.IsIPv4))
            yield return $"clusterRoute: on ({values["clusterRoute"].Where}) needs an IPv4 prefix in clusterCidrs, to which the route leads";

        foreach (Prefix service in policy.ServiceCidrs)
        {
            foreach (Prefix cluster in policy.ClusterCidrs.Where(service.Overlaps))
            {
                yield return $"serviceCidrs: '{service}' ({values["serviceCidrs"].Where}) must not overlap " +
                    $"'{cluster}' of clusterCidrs ({values["clusterCidrs"].Where})";
            }
        }
    }
}
