using HostGw.Planning;

namespace HostGw.Platform.Linux;

/// <summary>Has the rule in one backend and in no other: the new one comes before the old one goes.</summary>
internal static class NatBackends
{
    /// <param name="chosen">Null where no rule is wanted.</param>
    /// <returns>Null: there is nothing to do.</returns>
    /// <exception cref="HostNetworkException">A backend cannot be read.</exception>
    public static NatWork? Compare(IEnumerable<INatBackend> all, INatBackend? chosen, NatPlan? desired, bool anew) =>
        Join(all, chosen, chosen?.Compare(desired, anew), anew);

    /// <param name="wanted">What <paramref name="chosen"/> has to do; null: nothing.</param>
    /// <inheritdoc cref="Compare"/>
    public static NatWork? Join(IEnumerable<INatBackend> all, INatBackend? chosen, NatWork? wanted, bool anew)
    {
        List<(string Backend, NatWork Work)> leftovers = [];
        foreach (INatBackend other in all.Where(b => b != chosen))
        {
            if (other.Compare(null, anew) is { } work)
                leftovers.Add((other.Name, work));
        }
        if (wanted is null && leftovers.Count == 0)
            return null;

        IEnumerable<string> what = leftovers.Select(l => chosen is null ? l.Work.What : $"removed from {l.Backend}");
        return new(
            string.Join("; ", wanted is null ? what : what.Prepend(wanted.What)), wanted?.Begins,
            () => wanted?.Before(),
            () =>
            {
                wanted?.After();
                foreach ((_, NatWork work) in leftovers)
                {
                    work.Before();
                    work.After();
                }
            });
    }
}
