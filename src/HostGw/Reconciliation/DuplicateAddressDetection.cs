using HostGw.Planning;

namespace HostGw.Reconciliation;

/// <summary>
/// Finds the host's ends of new pods' interfaces, on which duplicate address detection is turned off (accept_dad) before the plugin ptp
/// gives them the pods' IPv6 gateway address. Until detection ends, one to two seconds later, nobody answers for that address, and the
/// pod's IPv6 is dead. Only the pod itself could have it. Pure.
/// </summary>
internal static class DuplicateAddressDetection
{
    /// <summary>Their names; none unless HostGw's own CNI configuration makes them, with IPv6 addresses.</summary>
    public static IReadOnlyList<string> Unneeded(Plan plan, HostState host)
    {
        if (!host.UsesOwnCni || plan.Cni is null || !plan.Cni.PodCidrs.Any(p => p.IsIPv6))
            return [];
        List<string> names = [];
        foreach (HostInterface link in host.Interfaces)
        {
            // ptp waits for the pod's own address, a second at least, before it adds the host's: this pass comes before.
            if (link is { IsPeerElsewhere: true, AcceptDad: > 0 } && link.Name.StartsWith("veth", StringComparison.Ordinal) &&
                !HasAddress(link, host))
                names.Add(link.Name);
        }
        return names;
    }

    private static bool HasAddress(HostInterface link, HostState host)
    {
        foreach (HostAddress address in host.Addresses)
        {
            if (address.Interface == link.Index && !address.Address.IsIPv6LinkLocal)
                return true;
        }
        return false;
    }
}
