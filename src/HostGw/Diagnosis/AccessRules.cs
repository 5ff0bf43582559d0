namespace HostGw.Diagnosis;

/// <summary>Whether all that must be read and written can be.</summary>
internal static class AccessRules
{
    public static IEnumerable<Finding> ApiServer(Examination seen)
    {
        if (seen.ApiProblem is { } problem)
            yield return new("apiServer", $"the nodes of the cluster are not known: {problem}", "put that right first (settings kubeconfig and apiServer): most other checks need the nodes");
    }

    public static IEnumerable<Finding> Rights(Examination seen)
    {
        if (!seen.Facts.MayChangeNetwork)
            yield return new("rights", "this process may not change the host's network, nor read all of it", "run it as root in the host's network, or give it the capability NET_ADMIN");
    }

    public static IEnumerable<Finding> Unreadable(Examination seen) =>
        seen.Failures.Select(f => new Finding("unreadable", $"could not {f}", "run it where and as the agent runs; what it names is missing there, or hidden by a security module"));
}
