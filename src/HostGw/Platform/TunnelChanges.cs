using HostGw.Planning;

namespace HostGw.Platform;

/// <summary>
/// The changes of the link hostgw0. What must be there before a route that uses it is made before the routes; what is removed is removed
/// after them. A pass that makes the link is unfinished: routes need its index, which the next pass reads.
/// </summary>
/// <param name="Make">The link that is to be made, or put in order; null: none.</param>
/// <param name="AddSources">Addresses that it lacks.</param>
/// <param name="DeleteSources">Addresses that it must not have.</param>
/// <param name="Delete">The link that is to be deleted: ours, and no longer needed, or of another kind than it should be.</param>
internal sealed record TunnelChanges(
    TunnelPlan? Make, IReadOnlyList<Ip> AddSources, IReadOnlyList<Ip> DeleteSources, TunnelLink? Delete)
{
    public static TunnelChanges None { get; } = new(null, [], [], null);

    public bool IsEmpty => Make is null && AddSources.Count == 0 && DeleteSources.Count == 0 && Delete is null;

    public static TunnelChanges Between(Plan plan, HostState host) => None;
}
