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
    /// Makes the changes, or with <see cref="ApplyMode.Preview"/> says which of them are necessary. One that fails never
    /// prevents the others, and removing what is not there is success.
    /// </summary>
    /// <remarks>
    /// The order loses no traffic: exemptions from masquerading before routes, additions and replacements before removals.
    /// Routes come before anything that starts a program, because a program may hang until its timeout.
    /// </remarks>
    ApplyResult Apply(HostChanges changes, ApplyMode mode);

    /// <summary>
    /// Calls <paramref name="wake"/> once the watch is established, and at each change of the host that may matter to the plan.
    /// </summary>
    /// <exception cref="HostNetworkException">The host refuses notifications.</exception>
    Task WatchAsync(Action<WakeCauses> wake, CancellationToken cancellationToken);
}

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
}
