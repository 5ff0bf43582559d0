using System.Collections.Immutable;

namespace HostGw.Planning;

/// <summary>What one pass read of this host, at once, and everything it decides by.</summary>
internal sealed record HostState
{
    public ImmutableArray<HostInterface> Interfaces { get; init; } = [];

    public ImmutableArray<HostAddress> Addresses { get; init; } = [];

    /// <summary>All routes of the table in which ours live, sorted by <see cref="HostRoute.Key"/>.</summary>
    public IReadOnlyList<HostRoute> Routes { get; init; } = [];

    /// <summary>Addresses that no podCIDR may swallow: gateways, resolvers, the API server.</summary>
    public ImmutableArray<ProtectedAddress> Protected { get; init; } = [];

    public ForwardingState Forwarding { get; init; }

    /// <summary>The metric of a route of ours: the kernel's own default for the family.</summary>
    public uint MetricIPv4 { get; init; }

    /// <inheritdoc cref="MetricIPv4"/>
    public uint MetricIPv6 { get; init; } = 1024;

    /// <summary>What a Windows host has besides; null: this is none.</summary>
    public WindowsFacts? Windows { get; init; }

    public HostInterface? Interface(int index)
    {
        foreach (HostInterface candidate in Interfaces)
        {
            if (candidate.Index == index)
                return candidate;
        }
        return null;
    }
}

/// <summary>A network interface. Up: it carries traffic as far as its administrator is concerned.</summary>
internal sealed record HostInterface(int Index, string Name, bool IsUp, bool IsLoopback)
{
    /// <summary>IPv4 packets that come in here may leave by another interface, if the host as a whole forwards.</summary>
    public bool ForwardsIPv4 { get; init; } = true;

    /// <summary>Largest packet, in bytes.</summary>
    public int Mtu { get; init; } = 1500;

    /// <inheritdoc cref="ForwardsIPv4"/>
    public bool ForwardsIPv6 { get; init; } = true;

    /// <summary>Linux's accept_ra: 0 ignores router advertisements, 1 does so while the host forwards, 2 never does.</summary>
    public int AcceptRa { get; init; }

    /// <summary>A route over an interface of this name was learnt from a router advertisement since the agent started.</summary>
    public bool HasLearntRoute { get; init; }

    /// <summary>What the system adds to the metric of every IPv4 route over this interface.</summary>
    public uint MetricIPv4 { get; init; }

    /// <inheritdoc cref="MetricIPv4"/>
    public uint MetricIPv6 { get; init; }

    /// <summary>On Windows: the number that stays the interface's own when it is renamed or gets another index.</summary>
    public ulong Luid { get; init; }
}

/// <summary>An address of this host, and the prefix whose addresses it makes neighbours (the peer's, on a point-to-point link).</summary>
internal readonly record struct HostAddress(Ip Address, Prefix Connected, int Interface);

/// <summary>An address that traffic of this host itself depends on, and what it is.</summary>
internal readonly record struct ProtectedAddress(Ip Address, ProtectedRole Role);

internal enum ProtectedRole
{
    Gateway,
    Resolver,
    ApiServer,
}

/// <summary>Whether this host forwards packets between interfaces; null: there is no such family here.</summary>
internal readonly record struct ForwardingState(bool? IPv4, bool? IPv6);
