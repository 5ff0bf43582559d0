using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Platform;

/// <summary>The host's routes, addresses, NAT rule and forwarding. Removing what is not there is success.</summary>
internal interface IHostNetwork : IDisposable
{
    /// <summary>How many changing requests have been sent since the start.</summary>
    long Writes { get; }

    /// <summary>Reads what stands, at once. The routes of the result are those of one pass: the next call reads over them.</summary>
    /// <param name="apiServer">The address that the API client is connected to; none while it is not.</param>
    /// <param name="anew">False: where nobody else is heard to have changed it since, what was read before, and done since, will do.</param>
    /// <exception cref="HostNetworkException">The host cannot be read: nothing may be concluded from what is missing.</exception>
    HostState Read(Ip apiServer, bool anew = true);

    /// <summary>What <see cref="Apply"/> would do to the masquerade rule, in words; empty: nothing.</summary>
    /// <exception cref="HostNetworkException">The rule cannot be read.</exception>
    string PreviewNat(NatPlan? desired);

    /// <summary>What <see cref="Apply"/> would do to chain FORWARD, in words; empty: nothing.</summary>
    /// <inheritdoc cref="PreviewNat"/>
    string PreviewForward(ImmutableArray<Prefix> accept);

    /// <summary>What <see cref="Apply"/> would do to the CNI configuration, in words; empty: nothing.</summary>
    /// <exception cref="HostNetworkException">The configurations that stand cannot be read.</exception>
    string PreviewCni(CniPlan? desired);

    /// <summary>What of others keeps pods' packets from passing, with the cure, as far as the latest preview or pass saw it.</summary>
    IReadOnlyList<string> Obstacles => [];

    /// <summary>Rules of others that masquerade what goes from pod to pod.</summary>
    /// <exception cref="HostNetworkException">Rules cannot be read.</exception>
    IReadOnlyList<Leftover> FindLeftovers(Plan plan);

    /// <summary>What stays after <c>cleanup</c> because others may need it, with the command that ends it.</summary>
    /// <param name="state">What was read.</param>
    IEnumerable<string> Remains(HostState state);

    /// <summary>Makes the changes in an order that loses no traffic: additions and replacements before removals.</summary>
    /// <param name="host">What this pass read.</param>
    ApplyResult Apply(HostChanges changes, HostState host);

    /// <summary>Calls <paramref name="wake"/> once it listens, and whenever the host changed in a way that the plan may care about, until cancelled.</summary>
    /// <exception cref="HostNetworkException">The host cannot be listened to.</exception>
    Task WatchAsync(Action<WakeCauses> wake, CancellationToken cancellationToken);

    /// <summary>Tells the watch which destinations matter from now on.</summary>
    void Expect(Plan plan);
}
