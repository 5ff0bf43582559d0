namespace HostGw.Problems.Rules;

/// <summary>Whether everything that must be read and written can be.</summary>
internal static class AccessRules
{
    private static readonly TimeSpan MostClockDifference = TimeSpan.FromMinutes(1);

    public static IEnumerable<Problem> ApiServer(Examination seen)
    {
        if (seen.ApiProblem is not { } problem)
            yield break;
        yield return new("apiServer",
            $"the nodes of the cluster are not known: {problem}",
            "put that right first (settings kubeconfig and apiServer): most other checks need the nodes");
    }

    public static IEnumerable<Problem> Clock(Examination seen)
    {
        if (seen.ServerClock is not { } ahead || ahead.Duration() < MostClockDifference)
            yield break;
        string seconds = $"{ahead.Duration().TotalSeconds:0} s {(ahead > TimeSpan.Zero ? "behind" : "ahead of")}";
        yield return new("clock",
            $"this host's clock is {seconds} the API server's: " +
            "tokens and certificates seem expired or not yet valid, and times in logs are wrong",
            "timedatectl set-ntp true, or see what keeps chrony or systemd-timesyncd from its servers");
    }

    public static IEnumerable<Problem> Credentials(Examination seen) =>
        from credential in seen.Credentials
        where seen.Now < credential.From || seen.Now >= credential.Until
        let state = seen.Now < credential.From
            ? $"is valid only from {Rfc3339.Text(credential.From)}"
            : $"expired at {Rfc3339.Text(credential.Until)}"
        select new Problem("credential",
            $"{credential.What} {state}, and this host's clock says {Rfc3339.Text(seen.Now)}",
            "renew it (a pod's token is renewed by kubelet, kubeadm's certificates by `kubeadm certs renew`), or set the clock right");

    public static IEnumerable<Problem> Rights(Examination seen)
    {
        if (seen.Facts.MayChangeNetwork)
            yield break;
        yield return new("rights",
            "this process may not change the host's network, nor read all of it",
            $"run it {seen.Facts.Rights}");
    }

    public static IEnumerable<Problem> Unreadable(Examination seen) => seen.Failures.Select(f => new Problem("unreadable",
        $"could not {f}",
        "run it where and as the agent runs; what it names is missing there, or hidden by a security module"));
}
