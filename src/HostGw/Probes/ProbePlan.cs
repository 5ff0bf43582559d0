using System.Collections.Immutable;
using System.Numerics;
using HostGw.Planning;

namespace HostGw.Probes;

/// <summary>Whom this node probes from where, and whose questions it answers: what the probes take from a plan.</summary>
/// <param name="Targets">At most one per Node and family.</param>
internal sealed record ProbePlan(ProbeSource IPv4, ProbeSource IPv6, ImmutableArray<ProbeTarget> Targets, KnownAddresses Known)
{
    public static ProbePlan Of(Plan plan)
    {
        (ProbeSource v4, ProbeSource v6) = (ProbeSource.Of(plan, isIPv4: true), ProbeSource.Of(plan, isIPv4: false));
        return new(v4, v6, Choose(plan, v4, v6), KnownAddresses.Of(plan));
    }

    private static ImmutableArray<ProbeTarget> Choose(Plan plan, ProbeSource v4, ProbeSource v6)
    {
        var targets = ImmutableArray.CreateBuilder<ProbeTarget>(plan.Verdicts.Length);
        foreach (Verdict verdict in plan.Verdicts)
        {
            bool isProbed = verdict.Kind is VerdictKind.Routed or VerdictKind.NotAdjacent && !verdict.Node.IsWindows &&
                !(verdict.PodCidr.IsIPv4 ? v4 : v6).IsNone;
            if (!isProbed || verdict.Node.PodCidrs.IndexOf(verdict.PodCidr) is not (>= 0 and < ProbeTarget.MostPodCidrs and var index))
                continue;
            if (IndexOf(targets, verdict) is >= 0 and var same)
                targets[same] = targets[same] with { PodCidrs = targets[same].PodCidrs | 1u << index };
            else if (ProbeAddress.FirstPodCidr(verdict.Node.PodCidrs, verdict.PodCidr.IsIPv4) == verdict.PodCidr &&
                !ProbeAddress.Of(verdict.PodCidr).IsNone && NodeAddress(verdict) is { IsNone: false } address)
                targets.Add(new(verdict.Node, 1u << index, address, verdict.IsOnLink));
        }
        return targets.DrainToImmutable();
    }

    // The verdicts on one Node follow each other.
    private static int IndexOf(ImmutableArray<ProbeTarget>.Builder targets, Verdict verdict)
    {
        int i = targets.Count - 1;
        while (i >= 0 && ReferenceEquals(targets[i].Node, verdict.Node) && targets[i].PodCidr.IsIPv4 != verdict.PodCidr.IsIPv4)
            i--;
        return i >= 0 && ReferenceEquals(targets[i].Node, verdict.Node) ? i : -1;
    }

    // The one that is the next hop. A next hop may also be a router's address, or one inside the podCIDR.
    private static Ip NodeAddress(Verdict verdict)
    {
        Ip first = default;
        foreach (Ip address in verdict.Node.InternalIPs.Concat(verdict.Node.ExternalIPs).Where(a => a.IsIPv4 == verdict.PodCidr.IsIPv4))
        {
            if (address == verdict.NextHop)
                return address;
            first = first.IsNone ? address : first;
        }
        return first.IsNone && !verdict.PodCidr.Contains(verdict.NextHop) ? verdict.NextHop : first;
    }
}

/// <summary>This node's own addresses in one family, from which it probes.</summary>
/// <param name="Node">None: the kernel chooses.</param>
/// <param name="Pod">Its probe address.</param>
internal readonly record struct ProbeSource(Ip Node, Ip Pod)
{
    public bool IsNone => Pod.IsNone;

    public static ProbeSource Of(Plan plan, bool isIPv4)
    {
        ClusterNode? self = plan.Verdicts.FirstOrDefault(v => v.Kind == VerdictKind.Self).Node;
        Ip node = self is null ? default : self.InternalIPs.Concat(self.ExternalIPs).FirstOrDefault(a => a.IsIPv4 == isIPv4);
        return new(node, ProbeAddress.Of(ProbeAddress.FirstPodCidr(plan.OwnPodCidrs, isIPv4)));
    }
}

/// <summary>A peer in one family.</summary>
/// <param name="PodCidrs">Those of the Node's podCIDRs that share its verdict, one bit each; the first one is probed.</param>
/// <param name="IsOnLink">HostGw has a route to it; false: only routes of the network can lead there.</param>
internal readonly record struct ProbeTarget(ClusterNode Node, uint PodCidrs, Ip NodeAddress, bool IsOnLink)
{
    public const int MostPodCidrs = 32;

    public Prefix PodCidr => Node.PodCidrs[BitOperations.TrailingZeroCount(PodCidrs)];

    /// <summary>Whether that address may be this Node's. Which one a kernel answers from depends on its routes.</summary>
    public bool Has(Ip address) =>
        address == NodeAddress || Node.InternalIPs.Contains(address) || Node.ExternalIPs.Contains(address) || PodCidr.Contains(address);
}

/// <summary>The addresses inside a podCIDR that probes use.</summary>
internal static class ProbeAddress
{
    /// <summary>Where the node answers: the first address, which no pod gets. None where the podCIDR has no room for it.</summary>
    public static Ip Of(Prefix podCidr) => podCidr.IsNone || podCidr.Length > podCidr.Address.Bits - 2 ? default : podCidr.Aligned.Address;

    /// <summary>An address to which the node would forward a packet: the last one, in IPv4 that before the broadcast address.</summary>
    public static Ip Beyond(Prefix podCidr) => podCidr.IsIPv4 ? Ip.V4((uint)podCidr.Last.Low - 1) : podCidr.Last;

    /// <summary>The gateway of the node's pods, the source of its own packets into a tunnel.</summary>
    public static Ip Gateway(Prefix podCidr) => podCidr.Aligned.Address.Plus(1);

    public static Prefix FirstPodCidr(ImmutableArray<Prefix> podCidrs, bool isIPv4)
    {
        foreach (Prefix podCidr in podCidrs)
        {
            if (podCidr.IsIPv4 == isIPv4)
                return podCidr;
        }
        return default;
    }
}

/// <summary>The addresses of Nodes, from which questions are answered. Sorted numbers: a tenth of a hash set's memory.</summary>
internal sealed class KnownAddresses
{
    private readonly uint[] _v4;
    private readonly UInt128[] _v6;

    private KnownAddresses(List<uint> v4, List<UInt128> v6)
    {
        v4.Sort();
        v6.Sort();
        (_v4, _v6) = ([.. v4], [.. v6]);
    }

    public static KnownAddresses None { get; } = new([], []);

    /// <summary>How many Linux peers there are.</summary>
    public int Peers { get; private init; }

    public bool Contains(Ip address) =>
        address.IsIPv4 ? Array.BinarySearch(_v4, (uint)address.Low) >= 0 : Array.BinarySearch(_v6, address.Value) >= 0;

    public static KnownAddresses Of(Plan plan)
    {
        (List<uint> v4, List<UInt128> v6) = ([], []);
        ClusterNode? last = null;
        int peers = 0;
        foreach (Verdict verdict in plan.Verdicts)
        {
            if (verdict.Kind == VerdictKind.Self || verdict.Node.IsWindows)
                continue;
            if (!ReferenceEquals(last, verdict.Node))
            {
                (last, peers) = (verdict.Node, peers + 1);
                foreach (Ip address in last.InternalIPs.Concat(last.ExternalIPs))
                    Add(address);
            }
            // A refused podCIDR may be of any network.
            if (verdict.Kind is VerdictKind.Rejected or VerdictKind.NoPodCidr)
                continue;
            Add(verdict.PodCidr.Aligned.Address);
            Add(ProbeAddress.Gateway(verdict.PodCidr));
        }
        return new(v4, v6) { Peers = peers };

        void Add(Ip address)
        {
            if (address.IsIPv4)
                v4.Add((uint)address.Low);
            else
                v6.Add(address.Value);
        }
    }
}
