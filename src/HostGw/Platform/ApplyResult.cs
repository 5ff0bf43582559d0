using HostGw.Planning;

namespace HostGw.Platform;

/// <summary>What was done, or would be, and what failed.</summary>
internal sealed record ApplyResult
{
    /// <summary>What the host refused; everything else was done.</summary>
    public IReadOnlyList<HostFailure> Failures { get; init; } = [];

    /// <summary>What was done to the masquerade rule, in words; empty: nothing.</summary>
    public string NatChange { get; init; } = "";

    /// <summary>What holds the masquerade rule; null where there is none.</summary>
    public NatBackendChoice? NatBackend { get; init; }

    /// <summary>What was done to chain FORWARD, in words; empty: nothing.</summary>
    public string ForwardChange { get; init; } = "";

    /// <summary>What would have been done to rules without <see cref="HostChanges.HoldsRules"/>.</summary>
    public HeldRules HeldRules { get; init; }

    /// <summary>What was done to the guards of probes and tunnel, in words; empty: nothing.</summary>
    public string GuardChange { get; init; } = "";

    /// <summary>What was done to the link hostgw0, in words; empty: nothing.</summary>
    public string TunnelChange { get; init; } = "";

    /// <summary>What was done to the CNI configuration, in words; empty: nothing.</summary>
    public string CniChange { get; init; } = "";

    /// <summary>The CNI configuration that the container runtime uses, if known.</summary>
    public CniInUse? Cni { get; init; }

    /// <summary>HostGw's CNI configurations that are no longer desired, in a directory that is mounted read-only.</summary>
    public IReadOnlyList<string> CniLeft { get; init; } = [];

    /// <summary>What foreign configuration drops or rewrites pods' packets, with the cure.</summary>
    public IReadOnlyList<string> Obstacles { get; init; } = [];

    /// <summary>Foreign rules that masquerade traffic between pods; null: not searched for, or rules cannot be read.</summary>
    public IReadOnlyList<Leftover>? Leftovers { get; init; }

    /// <summary>Foreign rules of which an ipset decides what they do to pods' packets: reported on request, and no problem.</summary>
    public IReadOnlyList<RuleDoubt> Doubts { get; init; } = [];

    /// <summary>What keeps packets from taking the installed routes.</summary>
    public IReadOnlyList<RouteOverride> Overrides { get; init; } = [];

    /// <summary>What takes packets to this node's probe addresses before HostGw's routes do.</summary>
    public IReadOnlyList<ProbeObstacle> ProbeObstacles { get; init; } = [];

    /// <summary>The program that last changed rules that concern HostGw; empty where it is not known.</summary>
    public string RulesWriter { get; init; } = "";

    /// <summary>How many changing netlink requests were sent.</summary>
    public long NetlinkWrites { get; init; }

    /// <param name="nat">In words; empty: nothing.</param>
    /// <param name="forward">In words; empty: nothing.</param>
    /// <param name="held">Nothing of it was done.</param>
    public ApplyResult WithRules(string nat, string forward, bool held) => held
        ? this with { HeldRules = new(nat.Length > 0 ? nat : null, forward.Length > 0 ? forward : null) }
        : this with { NatChange = nat, ForwardChange = forward };

    public bool Refused(HostPart part) => Failures.Any(f => f.Part == part);

    public HashSet<RouteKey> RefusedRoutes => [.. Failures.Where(f => f.Part == HostPart.Routes).Select(f => f.Route).OfType<RouteKey>()];
}

/// <summary>Changes of rules that wait, in words; null: none.</summary>
internal readonly record struct HeldRules(string? Nat, string? Forward)
{
    public bool IsEmpty => Nat is null && Forward is null;
}

/// <summary>A change that the host refused, and why.</summary>
/// <param name="Route">The route concerned; null where <paramref name="Part"/> is another.</param>
internal sealed record HostFailure(HostPart Part, string What, RouteKey? Route, HostNetworkException Error);

/// <summary>What of the host a failure concerns.</summary>
internal enum HostPart
{
    /// <summary>Nothing could be read: the pass ended there.</summary>
    State,
    ForwardingIPv4,
    ForwardingIPv6,
    NeighbourThresholds,
    Neighbours,
    Nat,
    Forward,
    Routes,
    PolicyRules,
    ProbeAddress,
    Guards,

    /// <summary>The link hostgw0.</summary>
    Tunnel,
    Cni,

    /// <summary>The list of the routes that HostGw has installed.</summary>
    Ownership,

    /// <summary>The pods' network, where the system has a service for such things.</summary>
    PodNetwork,
}

/// <summary>A rule that another network agent left behind and that does harm.</summary>
/// <param name="What">In words.</param>
/// <param name="Remove">Throws <see cref="HostNetworkException"/>. Null: it is not known whether there is one.</param>
internal sealed record Leftover(string What, Action? Remove)
{
    public string Problem => Remove is null ? What : $"{What}; if what made it is gone, `hostgw adopt --rules` removes it";
}

/// <summary>A rule of another program that may harm or not.</summary>
/// <param name="Check">How to find out.</param>
internal sealed record RuleDoubt(string What, string Check);

/// <summary>The CNI configuration that the container runtime uses.</summary>
/// <param name="File">Its path.</param>
/// <param name="IsOurs">False: another plugin's takes precedence over ours, which is therefore not written.</param>
internal sealed record CniInUse(string File, bool IsOurs);

/// <summary>Makes changes one by one and collects the failures: one that fails never prevents the others.</summary>
internal sealed class Attempts
{
    private readonly List<(HostPart Part, string What)> _done = [];

    public List<HostFailure> Failures { get; } = [];

    public bool Refused(HostPart part) => Failures.Exists(f => f.Part == part);

    /// <summary>Notes what was done, or would be; empty: nothing.</summary>
    public void Did(HostPart part, string what)
    {
        if (what.Length > 0)
            _done.Add((part, what));
    }

    /// <summary>All that was done to a part, in words; empty: nothing.</summary>
    public string Done(HostPart part) => string.Join("; ", _done.Where(d => d.Part == part).Select(d => d.What));

    /// <returns>False: the host refused.</returns>
    public bool Try(HostPart part, string what, bool wanted, Action change)
    {
        if (!wanted)
            return true;
        try
        {
            change();
            return true;
        }
        catch (HostNetworkException e)
        {
            Fail(part, what, e);
            return false;
        }
    }

    public void Fail(HostPart part, string what, HostNetworkException error) => Failures.Add(new(part, what, null, error));
}
