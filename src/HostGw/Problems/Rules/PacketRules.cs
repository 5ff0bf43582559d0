using HostGw.Planning;

namespace HostGw.Problems.Rules;

/// <summary>Whether something on the way drops or rewrites pods' packets.</summary>
internal static class PacketRules
{
    public static IEnumerable<Problem> ForwardDrop(Examination seen)
    {
        if (seen.ForwardChange.Length == 0)
            yield break;
        yield return new("forwardDrop",
            "chain FORWARD drops this node's pods' packets, " +
            $"and the accept for them is missing or not in its place ({seen.ForwardChange})",
            "start the agent with forwardAccept true; it adds one chain and touches no rule of others");
    }

    public static IEnumerable<Problem> Obstacles(Examination seen) => seen.Obstacles.Select(
        o => new Problem("foreignDrop", o, "change it where it is made: the agent touches nothing of others"));

    public static IEnumerable<Problem> Leftovers(Examination seen) => seen.Leftovers.Select(l => new Problem("foreignMasquerade",
        $"{l.What}: pods see each other under their nodes' addresses",
        "stop what made it; if that is gone, hostgw adopt --rules removes it"));

    public static IEnumerable<Problem> Masquerade(Examination seen)
    {
        if (seen.NatChange.Length == 0)
            yield break;
        yield return new("masquerade",
            $"the masquerade rule is not as it should be ({seen.NatChange}): pods may not reach what is outside of the cluster",
            "start the agent on this host, or see its log for what keeps it from that");
    }

    /// <summary>A pod's packet that is larger than the way out is cut into pieces, or lost where it may not be.</summary>
    public static IEnumerable<Problem> Mtu(Examination seen)
    {
        if (seen.Plan is not { } plan)
            return [];
        return from address in seen.Host.Addresses
               where plan.OwnPodCidrs.Any(p => p.Contains(address.Address))
               let inside = seen.Host.Interface(address.Interface)
               let uplink = (address.Address.IsIPv4 ? plan.InterfaceIPv4 : plan.InterfaceIPv6).Interface
               where inside is not null && uplink is not null && inside.Index != uplink.Index && inside.Mtu > uplink.Mtu
               group inside by (uplink.Name, uplink.Mtu) into found
               let links = found.Select(i => $"{i.Name} ({i.Mtu})").Distinct().Take(3)
               select new Problem("mtu",
                   $"{string.Join(", ", links)} of pods take larger packets than {found.Key.Name} ({found.Key.Mtu}): " +
                   "large packets are cut or lost",
                   $"set the MTU of the CNI configuration to {found.Key.Mtu} and restart the pods, " +
                   $"or raise that of {found.Key.Name} on all nodes");
    }
}
