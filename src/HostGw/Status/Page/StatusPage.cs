using HostGw.Planning;
using HostGw.Platform;
using HostGw.Problems;
using HostGw.Reconciliation;

namespace HostGw.Status.Page;

/// <summary>Everything that the page shows, as of one moment.</summary>
/// <param name="Search">Only peers that contain it are listed; empty: all.</param>
internal sealed record PageInput(StatusView View, ApiHealth Api, string Version, string Node, DateTimeOffset Now, string Search);

/// <summary>
/// The status for people: is this node healthy, and if not, what is wrong and what to do about it. It works without JavaScript; with
/// it, the sections marked data-live are kept up to date. It loads nothing, and its size does not depend on the size of the cluster.
/// </summary>
internal static class StatusPage
{
    public static byte[] Write(PageInput input)
    {
        Html html = new();
        IReadOnlyList<PageProblem> problems = ProblemsSection.Find(input);
        AddHead(html, input, problems.Count > 0);
        html.Add($"<p id=stale class=error role=alert hidden></p>\n<main>\n");

        ProblemsSection.Add(html, problems);
        PeerCounts counts = PeerCounts.Of(input.View.Peers);
        PeersPicture.Add(html, input, counts);
        NodeSection.Add(html, input);
        PassesSection.Add(html, input);
        PeersTable.Add(html, input, counts);

        html.Add($"</main>\n<footer>\n<p>hostgw {input.Version} on {input.Node}. The same for programs: ")
            .Add($"<a href=\"/status\">/status</a> (JSON), <a href=\"/metrics\">/metrics</a>, <a href=\"/readyz\">/readyz</a>. ")
            .Add($"On the node, <code>hostgw doctor</code> looks for causes and <code>hostgw plan</code> shows what a pass would change.")
            .Add($"</p>\n</footer>\n");
        PageFrame.AddScript(html);
        return html.Add($"</body>\n</html>\n").ToUtf8();
    }

    private static void AddHead(Html html, PageInput input, bool hasProblems)
    {
        bool isReady = input.View.NotReady.Count == 0;
        (string sign, string style, string verdict) = (isReady, hasProblems) switch
        {
            (false, _) => ("✗", "error", "not ready"),
            (true, true) => ("!", "warning", "ready, with problems"),
            _ => ("✓", "good", "all in order"),
        };
        html.Add($"<!doctype html>\n<html lang=en data-version=\"{input.Version}\">\n<head>\n<meta charset=utf-8>\n")
            .Add($"<meta name=viewport content=\"width=device-width\">\n")
            .Add($"<title>{sign} {input.Node} – HostGw</title>\n<link rel=icon href=\"data:,\">\n");
        PageFrame.AddStyleAndRefresh(html);
        html.Add($"</head>\n<body>\n<header id=top data-live>\n<h1>{input.Node}: <span class={style}>{verdict}</span></h1>\n<p>");
        if (input.View.ReadySince is { } since)
            html.Add($"{(isReady ? "Ready" : "Not ready")} since ").AddTime(since, input.Now).Add($". ");
        html.Add($"As of {Rfc3339.Text(input.Now)}; all times are UTC.</p>\n</header>\n");
    }
}

/// <param name="IsError">It concerns the whole host.</param>
internal readonly record struct PageProblem(Problem Problem, bool IsError);

/// <summary>What is wrong and what to do about it, starting with what keeps this host from being ready.</summary>
internal static class ProblemsSection
{
    private const int MaxShown = 12;

    public static IReadOnlyList<PageProblem> Find(PageInput input)
    {
        List<PageProblem> problems =
            [.. input.View.NotReady.Select(r => new PageProblem(new("NotReady", r), IsError: true))];
        if (input.Api.Problem is { } reason)
        {
            problems.Add(new(new("ApiServer", $"cannot watch nodes: {reason}",
                "existing routes are kept and repaired; changes of nodes take effect when the API server answers again"), IsError: true));
        }
        if (input.View.LastRead is { } last)
        {
            IEnumerable<Problem> all = OfNodes(last).Concat(ProblemCatalog.OfHost(last));
            problems.AddRange(all.Select(p => new PageProblem(p, IsError: false)));
        }
        return problems;
    }

    public static void Add(Html html, IReadOnlyList<PageProblem> problems)
    {
        html.Add($"<section id=problems data-live aria-live=polite>\n<h2>{(problems.Count == 0 ? "No problems" : "Problems")}</h2>\n");
        if (problems.Count == 0)
            html.Add($"<p>All routes and rules are installed as they should be.</p>\n");
        else
            html.Add($"<ul class=problems>\n");
        foreach ((Problem problem, bool isError) in problems.Take(MaxShown))
        {
            html.Add($"<li{new RawHtml(isError ? " class=e" : "")}>{problem.Text}");
            if (problem.Cure.Length > 0)
                html.Add($" <span class=cure>→ {problem.Cure}</span>");
            html.Add($"</li>\n");
        }
        if (problems.Count > MaxShown)
            html.Add($"<li>and {problems.Count - MaxShown} more: <code>hostgw status</code> on the node lists all</li>\n");
        if (problems.Count > 0)
            html.Add($"</ul>\n");
        html.Add($"</section>\n");
    }

    // Many nodes with the same verdict are one problem to solve.
    private static IEnumerable<Problem> OfNodes(PassReport last)
    {
        Dictionary<VerdictKind, (int Count, Verdict First)> kinds = [];
        foreach (Verdict verdict in last.Plan?.Verdicts ?? [])
        {
            if (ProblemCatalog.IsProblem(last, verdict))
                kinds[verdict.Kind] = kinds.TryGetValue(verdict.Kind, out var seen) ? (seen.Count + 1, seen.First) : (1, verdict);
        }
        return from kind in kinds
               orderby kind.Key descending
               let more = kind.Value.Count > 1 ? $"; and {kind.Value.Count - 1} more {VerdictNames.Of(kind.Key)}" : ""
               let problem = ProblemCatalog.Of(kind.Value.First, last.Plan?.Policy)
               select problem with { Text = problem.Text + more };
    }
}

/// <summary>This node: its rules, forwarding, CNI configuration and connection to the API server.</summary>
internal static class NodeSection
{
    public static void Add(Html html, PageInput input)
    {
        html.Add($"<section id=host data-live>\n<h2>This node</h2>\n<dl>\n");
        if (input is { View.Last: { Plan: { } plan } last })
        {
            AddPlan(html, plan, last);
            if (input.View.Probes.Reachability is { IsOn: true } probes)
                html.Add($"<dt>Probes of peers<dd>{ReachText.Counts(plan.Verdicts, probes)}\n");
        }
        AddApi(html, input);
        html.Add($"</dl>\n</section>\n");
    }

    private static void AddPlan(Html html, Plan plan, PassReport last)
    {
        html.Add($"<dt>podCIDRs<dd>{(plan.OwnPodCidrs.IsEmpty ? "none" : string.Join(", ", plan.OwnPodCidrs))}\n")
            .Add($"<dt>Interface of the routes<dd>{Interface("IPv4", plan.InterfaceIPv4)}; {Interface("IPv6", plan.InterfaceIPv6)}\n");
        AddRule(html, "Masquerade rule", RuleStatus.OfNat(plan, last),
            plan.Nat is null ? "" : $" by {RuleStatus.NatBackend(plan, last)} ({last.Result.NatBackend?.Why})");
        if (plan.Nat is { } nat)
        {
            string sources = nat.Source == NatSource.Any ? "any source" : string.Join(", ", nat.Sources);
            html.Add($"<dt>Masqueraded sources<dd>{sources}; {nat.Exempt.Length} destinations are exempt\n");
        }
        AddRule(html, "Accept in chain FORWARD", RuleStatus.OfForward(plan, last), "");
        html.Add($"<dt>Forwarding<dd>IPv4 {Forwarding(last.Changes.Forwarding.IPv4)}, IPv6 {Forwarding(last.Changes.Forwarding.IPv6)}\n");
        CniState cni = RuleStates.OfCni(plan, last);
        html.Add($"<dt>CNI configuration<dd><span class={StateStyle.Of(cni).Class}>{cni.Name()}</span> {last.Result.Cni?.File ?? ""}\n");
        foreach (ClusterRoute route in plan.ClusterRoutes)
            html.Add($"<dt>Cluster route<dd>{route.Destination} {(route.Refusal is null ? "" : $"refused: it {route.Refusal}")}\n");
    }

    private static void AddRule(Html html, string name, RuleStatus rule, string backend)
    {
        string reason = rule.Reason.Length > 0 ? $": {rule.Reason}" : "";
        html.Add($"<dt>{name}<dd><span class={StateStyle.Of(rule.State).Class}>{rule.State.Name()}</span>{backend}{reason}\n");
    }

    private static void AddApi(Html html, PageInput input)
    {
        ApiHealth api = input.Api;
        html.Add($"<dt>API server<dd><span class={(api.Problem is null ? "good" : "error")}>")
            .Add($"{(api.Problem is null ? "nodes are watched" : "nodes cannot be watched")}</span>");
        if (api.ReceivedAt is { } received)
            html.Add($", last message received ").AddTime(received, input.Now);
        html.Add($", resource version {api.ResourceVersion}, {api.Failures} failed attempts\n");
    }

    private static string Interface(string family, InterfaceChoice choice) =>
        $"{family} {(choice.IsUsable ? choice.Interface!.Name : $"none ({choice.Reason})")}";

    private static string Forwarding(bool? isOn) => isOn switch { true => "on", false => "off", null => "unknown" };
}

/// <summary>What the latest passes did, and how often something was repaired.</summary>
internal static class PassesSection
{
    public static void Add(Html html, PageInput input)
    {
        html.Add($"<section id=passes data-live class=scroll>\n<h2>Passes and repairs</h2>\n");
        StatusCounters counters = input.View.Counters;
        if (input.View.Last is { } last)
        {
            html.Add($"<p>Last pass ").AddTime(last.At, input.Now)
                .Add($", caused by {Causes(last.Causes)}, took {last.Elapsed.TotalMilliseconds} ms. ")
                .Add($"Passes since the agent started: {counters.Passes}, with changes {counters.Changed}, failed {counters.Failed}.</p>\n")
                .Add($"<p>Repaired: {Sum(counters.Repairs)}.</p>\n");
        }
        html.Add($"<table>\n<caption>The latest {PassHistory.Most} passes that changed something or failed, newest first.</caption>\n")
            .Add($"<thead><tr><th scope=col>When<th scope=col>What<th scope=col>Caused by<th scope=col>Took<th scope=col>Details")
            .Add($"</tr></thead>\n<tbody>\n");
        foreach (PassEntry pass in input.View.Passes)
            AddRow(html, input, pass);
        html.Add($"</tbody>\n</table>\n</section>\n");
    }

    private static void AddRow(Html html, PageInput input, PassEntry pass)
    {
        (string style, string kind) = pass.Kind switch
        {
            PassKind.Failure => ("error", "✗ failed"),
            PassKind.Repair => ("warning", "↻ repair"),
            _ => ("good", "✓ change"),
        };
        html.Add($"<tr><td class=word>").AddTime(pass.At, input.Now).Add($"<td class=word><span class={style}>{kind}</span>");
        if (pass.Times > 1)
            html.Add($" {pass.Times} times since {TimeText.Short(pass.FirstAt, input.Now)}");
        html.Add($"<td>{Causes(pass.Causes)}<td class=word>{pass.Elapsed.TotalMilliseconds} ms<td>{pass.Text}</tr>\n");
    }

    private static string Causes(WakeCauses causes) => WakeCauseNames.Of(causes).Replace(",", ", ", StringComparison.Ordinal);

    private static string Sum(Repairs repairs)
    {
        (string What, long Times)[] all =
        [
            ("routes removed", repairs.RoutesRemoved), ("routes changed", repairs.RoutesChanged),
            ("routes overwritten", repairs.RoutesOverwritten), ("masquerade rule", repairs.Masquerade),
            ("accept in chain FORWARD", repairs.ForwardAccept), ("guards", repairs.Guards), ("forwarding", repairs.Forwarding),
            ("CNI configuration", repairs.Cni), ("policy rules", repairs.PolicyRules), ("probe addresses", repairs.ProbeAddress),
            ("link hostgw0", repairs.Tunnel),
        ];
        string sum = string.Join(", ", all.Where(a => a.Times > 0).Select(a => $"{a.What} {a.Times}"));
        return sum.Length > 0 ? sum : "nothing";
    }
}
