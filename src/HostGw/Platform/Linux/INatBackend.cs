using HostGw.Planning;

namespace HostGw.Platform.Linux;

/// <summary>One way to have the masquerade rule. Not thread-safe: one pass uses it at a time.</summary>
internal interface INatBackend
{
    /// <summary>As logs and status name it.</summary>
    string Name { get; }

    /// <summary>How many changing requests have been sent.</summary>
    long Writes { get; }

    /// <summary>What stands of ours here compared with what should; null: there is nothing to do.</summary>
    /// <param name="desired">Null: nothing of ours should stand here.</param>
    /// <param name="anew">False: what an earlier comparison found right may be taken to be so still, if reading costs much.</param>
    /// <exception cref="HostNetworkException">It cannot be read, or this is no way to have what is desired.</exception>
    NatWork? Compare(NatPlan? desired, bool anew);
}

/// <summary>A change of the masquerade rule, in two halves around the change of routes.</summary>
/// <param name="What">In words.</param>
/// <param name="Begins">Masquerading begins for pods of this plan: connections may be there that began without. Null: it does not.</param>
/// <param name="Before">What is to be exempt must be so when the first packet comes. Throws <see cref="HostNetworkException"/>.</param>
/// <param name="After">What is not exempt any more. Throws <see cref="HostNetworkException"/>.</param>
internal sealed record NatWork(string What, NatPlan? Begins, Action Before, Action After);
