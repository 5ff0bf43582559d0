using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Platform;

/// <summary>The host's routes, addresses, NAT rule, forwarding and CNI configuration. One pass at a time uses it.</summary>
internal interface IHostNetwork : IDisposable
{
    /// <summary>Reads the host's current state.</summary>
    /// <param name="apiServers">The known addresses of the API server, beginning with the one that the API client is connected to.</param>
    /// <exception cref="HostNetworkException">The host cannot be read: nothing may be concluded from what is missing.</exception>
    HostState Read(IReadOnlyList<Ip> apiServers);

    /// <summary>
    /// Reads what takes the same time however many nodes there are: interfaces, addresses, policy rules, the link hostgw0 and what may
    /// prevent it. Null: this host is only read as a whole.
    /// </summary>
    /// <exception cref="HostNetworkException">The host cannot be read.</exception>
    HostState? ReadBriefly() => null;

    /// <summary>
    /// Makes the changes, or with <see cref="ApplyMode.Preview"/> says which of them are necessary. One that fails never
    /// prevents the others, and removing what is not there is success.
    /// </summary>
    /// <remarks>
    /// The order loses no traffic: exemptions from masquerading before routes, additions and replacements before removals.
    /// Routes come before anything that starts a program, because a program may hang until its timeout.
    /// </remarks>
    ApplyResult Apply(HostChanges changes, ApplyMode mode);

    /// <summary>What the guards of probes and tunnel have dropped; none where there are none. Thread-safe.</summary>
    ImmutableArray<GuardDrops> GuardDrops() => [];

    /// <summary>
    /// Calls <paramref name="wake"/> once the watch is established, and at each change of the host that may matter to the plan.
    /// </summary>
    /// <exception cref="HostNetworkException">The host refuses notifications.</exception>
    Task WatchAsync(Action<WakeCauses> wake, CancellationToken cancellationToken);
}

/// <summary>How many packets a guard has dropped since it was installed.</summary>
internal readonly record struct GuardDrops(string Guard, long Packets);

internal enum ApplyMode
{
    Change,

    /// <summary>Nothing is written. <see cref="HostChanges.Routes"/> are skipped: they already say what would be done.</summary>
    Preview,
}

/// <summary>The host refused a request. The next pass tries again; anything else that goes wrong is a bug and stops the agent.</summary>
internal abstract class HostNetworkException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What was being removed is not there: for a reconciler, that is success.</summary>
    public abstract bool IsNotFound { get; }

    /// <summary>What to do, where the error alone says it: one cause of many failures. Empty: that depends on what failed.</summary>
    public virtual string Cure => "";
}

/// <summary>Why a pass runs. Several causes may share one pass.</summary>
[Flags]
internal enum WakeCauses
{
    None = 0,

    /// <summary>The watch of the host was established: earlier changes were not reported.</summary>
    Start = 1,
    Nodes = 2,
    Routes = 4,
    Links = 8,
    Addresses = 16,
    Forwarding = 32,
    Nat = 64,

    /// <summary>Notifications of the kernel were lost: anything may have changed.</summary>
    Overrun = 128,

    /// <summary>An operation failed or could not be finished, or a repair that waited may be made now.</summary>
    Retry = 256,

    /// <summary>Periodic full pass: nothing that an earlier pass found is relied on.</summary>
    Resync = 512,

    /// <summary>Somebody changed a CNI configuration.</summary>
    Cni = 1024,

    /// <summary>Somebody changed the routing policy (ip rule).</summary>
    PolicyRules = 2048,

    /// <summary>A verdict of the probes has changed.</summary>
    Reachability = 4096,

    /// <summary>Somebody changed the guards of probes and tunnel.</summary>
    Guards = 8192,
}

/// <summary>Causes of passes as logs, metrics and status name them.</summary>
internal static class WakeCauseNames
{
    private static readonly (WakeCauses Cause, string Name)[] All =
    [
        (WakeCauses.Start, "start"), (WakeCauses.Nodes, "nodes"), (WakeCauses.Routes, "routes"), (WakeCauses.Links, "links"),
        (WakeCauses.Addresses, "addresses"), (WakeCauses.Forwarding, "forwarding"), (WakeCauses.Nat, "nat"),
        (WakeCauses.Overrun, "overrun"), (WakeCauses.Retry, "retry"), (WakeCauses.Resync, "resync"),
        (WakeCauses.Cni, "cni"), (WakeCauses.PolicyRules, "policyrules"),
        (WakeCauses.Reachability, "reachability"), (WakeCauses.Guards, "guards"),
    ];

    public static string Of(WakeCauses causes) => string.Join(",", All.Where(a => causes.HasFlag(a.Cause)).Select(a => a.Name));
}
