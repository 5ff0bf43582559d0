using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>When packets to a peer's pods take the tunnel: the setting tunnel.mode.</summary>
internal enum TunnelMode
{
    /// <summary>Never: there is no link hostgw0 on this host.</summary>
    Off,

    /// <summary>Where native routing cannot carry them, and probes through the tunnel are answered.</summary>
    Auto,

    /// <summary>To every Linux peer, on this segment or beyond it.</summary>
    Always,
}

/// <summary>The settings of the tunnel.</summary>
internal sealed record TunnelPolicy
{
    public TunnelMode Mode { get; init; }

    /// <summary>The UDP port of VXLAN-GPE.</summary>
    public int Port { get; init; } = 4790;

    /// <summary>The VXLAN network identifier, 1 to 16777215. Packets with another one are dropped.</summary>
    public uint Vni { get; init; } = 157;

    /// <summary>Which address of the podCIDR is SOURCE; 0: the gateway, where the CNI configuration reserves it.</summary>
    public int Source { get; init; }

    /// <summary>How long the native path must answer before a peer returns to it.</summary>
    public TimeSpan NativeAfter { get; init; } = TimeSpan.FromSeconds(300);
}

/// <summary>How packets of a route reach the peer: inside UDP datagrams, by the link hostgw0 (VXLAN-GPE; RTA_ENCAP of rtnetlink).</summary>
/// <param name="Node">The peer's node address, of either family: the destination of the outer header.</param>
/// <param name="Source">The source address of this host's own packets: one of the link's.</param>
/// <param name="Mtu">Of packets inside, in bytes.</param>
internal sealed record Encapsulation(uint Vni, Ip Node, Ip Source, int Mtu)
{
    /// <summary>This node's address: the source of the outer header. None: the kernel chooses, as for routes of earlier versions.</summary>
    public Ip OuterSource { get; init; }

    /// <summary>What the headers outside take: outer IP, UDP, VXLAN-GPE.</summary>
    public static int Overhead(bool isIPv4Outside) => (isIPv4Outside ? 20 : 40) + 8 + 8;
}

/// <summary>The link hostgw0 as it should be.</summary>
/// <param name="Sources">The addresses that it holds (SOURCE), at most one per family.</param>
internal sealed record TunnelPlan(int Port, uint Vni, ImmutableArray<Ip> Sources)
{
    public const string LinkName = "hostgw0";

    /// <summary>The group that the link is made with: a mark that a change of its name or alias leaves.</summary>
    public const uint LinkGroup = 157;

    public bool HasIPv6 => Sources.Any(s => s.IsIPv6);

    public bool Equals(TunnelPlan? other) =>
        other is not null && (Port, Vni) == (other.Port, other.Vni) && Sources.AsSpan().SequenceEqual(other.Sources.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Port, Vni, Sources.Length);
}

/// <summary>An interface of the name hostgw0 as the kernel has it, or HostGw's under another name.</summary>
internal sealed record TunnelLink(int Index)
{
    public string Name { get; init; } = TunnelPlan.LinkName;

    /// <summary>It carries a mark of HostGw's: its alias, or the group of a link of its kind. Another one is never changed.</summary>
    public bool IsOurs { get; init; }

    public bool IsUp { get; init; }

    /// <summary>VXLAN in collect-metadata mode with the GPE header.</summary>
    public bool IsVxlanGpe { get; init; }

    public int Port { get; init; }

    /// <summary>The network identifiers that it lets in (vnifilter); empty with <see cref="FiltersVnis"/> false: all.</summary>
    public ImmutableArray<uint> Vnis { get; init; } = [];

    public bool FiltersVnis { get; init; }

    /// <summary>
    /// Alias and group of HostGw's, addrgenmode none, accept_ra 0, accept_redirects 0, rp_filter 2: what of them is not so, in words;
    /// empty: nothing.
    /// </summary>
    public string WrongSetting { get; init; } = "";

    /// <summary>False: it can have no IPv6 address, for its MTU is below 1280 or disable_ipv6 is set.</summary>
    public bool HasIPv6 { get; init; } = true;

    public bool Equals(TunnelLink? other) => other is not null &&
        (Index, Name, IsOurs, IsUp, IsVxlanGpe, Port, FiltersVnis, HasIPv6) ==
        (other.Index, other.Name, other.IsOurs, other.IsUp, other.IsVxlanGpe, other.Port, other.FiltersVnis, other.HasIPv6) &&
        WrongSetting == other.WrongSetting && Vnis.AsSpan().SequenceEqual(other.Vnis.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Index, Port, Vnis.Length);
}

/// <summary>Which packets to the ports of probes and tunnel reach this host, and what may come out of the tunnel.</summary>
/// <param name="Uplinks">The names of the interfaces towards peers, sorted: only there these ports' datagrams are accepted.</param>
/// <param name="Ports">UDP ports, sorted.</param>
internal sealed record GuardPlan(ImmutableArray<string> Uplinks, ImmutableArray<int> Ports)
{
    /// <summary>Null: this host has no tunnel.</summary>
    public TunnelGuard? Tunnel { get; init; }

    public bool Equals(GuardPlan? other) => other is not null && Uplinks.AsSpan().SequenceEqual(other.Uplinks.AsSpan()) &&
        Ports.AsSpan().SequenceEqual(other.Ports.AsSpan()) && Tunnel == other.Tunnel;

    public override int GetHashCode() => HashCode.Combine(Uplinks.Length, Ports.Length, Tunnel);
}

/// <summary>What may come in by the tunnel's port, and out of hostgw0. All prefixes are sorted and do not overlap.</summary>
/// <param name="Nodes">The addresses of known Nodes, as host prefixes: outer sources, and inner sources of nodes' own packets.</param>
/// <param name="Own">This node's podCIDRs: inner destinations.</param>
/// <param name="Peers">The peers' podCIDRs: inner sources.</param>
internal sealed record TunnelGuard(
    int Port, uint Vni, ImmutableArray<Prefix> Nodes, ImmutableArray<Prefix> Own, ImmutableArray<Prefix> Peers)
{
    public bool Equals(TunnelGuard? other) => other is not null && (Port, Vni) == (other.Port, other.Vni) &&
        AreEqual(Nodes, other.Nodes) && AreEqual(Own, other.Own) && AreEqual(Peers, other.Peers);

    public override int GetHashCode() => HashCode.Combine(Port, Vni, Own.Length, Peers.Length);

    private static bool AreEqual(ImmutableArray<Prefix> one, ImmutableArray<Prefix> other) => one.AsSpan().SequenceEqual(other.AsSpan());
}
