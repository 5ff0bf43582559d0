using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Probes;

/// <summary>The addresses of Nodes, from which questions are answered. Sorted numbers: a tenth of a hash set's memory.</summary>
internal sealed class KnownAddresses
{
    /// <summary>The owner of an address that two Nodes list with equal right.</summary>
    public const int Disputed = -2;

    private readonly Owners<uint> _v4;
    private readonly Owners<UInt128> _v6;

    private KnownAddresses(Owners<uint> v4, Owners<UInt128> v6) => (_v4, _v6) = (v4, v6);

    public static KnownAddresses None { get; } = new(new([]), new([]));

    /// <summary>How many addresses there are.</summary>
    public int Count => _v4.Count + _v6.Count;

    /// <summary>The number of an address among all; negative: no Node has it.</summary>
    public int IndexOf(Ip address) =>
        address.IsIPv4 ? _v4.IndexOf((uint)address.Low)
        : _v6.IndexOf(address.Value) is >= 0 and var index ? _v4.Count + index : -1;

    /// <summary>
    /// Whose address it is, as the index of a target; -1: of a Node that is no target in this family, or of none; or
    /// <see cref="Disputed"/>.
    /// </summary>
    public int TargetOf(Ip address) => address.IsIPv4 ? _v4.TargetOf((uint)address.Low) : _v6.TargetOf(address.Value);

    /// <param name="tunnelSource">Which address of a podCIDR is SOURCE: the setting tunnel.source.</param>
    public static KnownAddresses Of(Plan plan, int tunnelSource, ImmutableArray<ProbeTarget> targets)
    {
        Claims claims = new(targets);
        ClusterNode? last = null;
        foreach (Verdict verdict in plan.Verdicts)
        {
            if (verdict.Kind == VerdictKind.Self)
                continue;
            if (!ReferenceEquals(last, verdict.Node))
            {
                last = verdict.Node;
                claims.AddNode(last);
            }
            // A refused podCIDR may be of any network.
            if (verdict.Kind is VerdictKind.Rejected or VerdictKind.NoPodCidr)
                continue;
            claims.AddPods(verdict.PodCidr, tunnelSource, last.IsWindows);
        }
        return new(new(claims.V4), new(claims.V6));
    }

    /// <summary>Who says of which address that it is its own.</summary>
    /// <param name="targets">In the order in which their Nodes are added.</param>
    private sealed class Claims(ImmutableArray<ProbeTarget> targets)
    {
        private int _next;
        private int _targetIPv4, _targetIPv6;

        public List<Claim<uint>> V4 { get; } = [];

        public List<Claim<UInt128>> V6 { get; } = [];

        public void AddNode(ClusterNode node)
        {
            (_targetIPv4, _targetIPv6) = (-1, -1);
            for (; _next < targets.Length && ReferenceEquals(targets[_next].Node, node); _next++)
            {
                if (targets[_next].PodCidr.IsIPv4)
                    _targetIPv4 = _next;
                else
                    _targetIPv6 = _next;
            }
            foreach (Ip address in node.InternalIPs.Concat(node.ExternalIPs))
                Add(address, IsNextHop(address) ? 1 : 2);
        }

        public void AddPods(Prefix podCidr, int tunnelSource, bool isWindows)
        {
            if (!isWindows)
                Add(podCidr.Aligned.Address, 0);
            if ((isWindows ? ProbeAddress.Of(podCidr, isWindows) : TunnelSource.Of(podCidr, tunnelSource)) is { IsNone: false } address)
                Add(address, 0);
        }

        private bool IsNextHop(Ip address) =>
            (address.IsIPv4 ? _targetIPv4 : _targetIPv6) is >= 0 and var target && targets[target].NodeAddress == address;

        private void Add(Ip address, int rank)
        {
            if (address.IsIPv4)
                V4.Add(new((uint)address.Low, rank, _targetIPv4));
            else
                V6.Add(new(address.Value, rank, _targetIPv6));
        }
    }

    /// <param name="Rank">Of an address that two Nodes list, the lowest counts: in its podCIDR, the one that is probed, any other.</param>
    private readonly record struct Claim<T>(T Address, int Rank, int Target) : IComparable<Claim<T>> where T : IComparable<T>
    {
        public int CompareTo(Claim<T> other) =>
            Address.CompareTo(other.Address) is not 0 and var order ? order : Rank.CompareTo(other.Rank);
    }

    /// <summary>Addresses of one family, sorted, and beside each one whose it is.</summary>
    private readonly struct Owners<T> where T : IComparable<T>
    {
        private readonly T[] _addresses;
        private readonly int[] _targets;

        public Owners(List<Claim<T>> claims)
        {
            claims.Sort();
            int count = 0;
            for (int i = 0; i < claims.Count; i++)
            {
                if (count == 0 || claims[i].Address.CompareTo(claims[count - 1].Address) != 0)
                    claims[count++] = claims[i];
                else if (claims[i].Rank == claims[count - 1].Rank && claims[i].Target != claims[count - 1].Target)
                    claims[count - 1] = claims[count - 1] with { Target = Disputed };
            }
            (_addresses, _targets) = (new T[count], new int[count]);
            for (int i = 0; i < count; i++)
                (_addresses[i], _targets[i]) = (claims[i].Address, claims[i].Target);
        }

        public int Count => _addresses.Length;

        public int IndexOf(T address) => Array.BinarySearch(_addresses, address);

        public int TargetOf(T address) => IndexOf(address) is >= 0 and var index ? _targets[index] : -1;
    }
}
