using HostGw.Planning;
using HostGw.Reconciliation;

namespace HostGw.Status.Page;

/// <summary>The peers, those with a problem first; no more of them than a person reads.</summary>
internal static class PeersTable
{
    public const int MostRows = 100;

    public static void Add(Html html, PageInput input, PeerCounts counts)
    {
        html.Add($"<h2 id=peers-title>Peers</h2>\n<form role=search><label>Node, podCIDR or next hop: <input name=node value=\"{input.Search}\" maxlength=100></label> <button>Show</button></form>\n");
        html.Add($"<section id=peers data-live class=scroll aria-labelledby=peers-title>\n<table>\n");
        (IReadOnlyList<int> rows, int matching) = Choose(input, counts);
        int total = counts.Total;
        html.Add($"<caption>{(matching > rows.Count ? "Those with a problem first" : "All")}: {rows.Count} of {total} podCIDRs of peers ({counts.ToString()})");
        if (matching > rows.Count)
            html.Add($"; search to see the other {matching - rows.Count}");
        html.Add($".</caption>\n<thead><tr><th scope=col>Node<th scope=col>OS<th scope=col>podCIDR<th scope=col>Next hop<th scope=col>State<th scope=col>Since<th scope=col>Reason</tr></thead>\n<tbody>\n");
        if (input.View.Last is { } last)
        {
            RouteStates routes = new(last);
            foreach (int row in rows)
                AddRow(html, input, input.View.Standings.Verdicts[row], input.View.Standings.States[row], routes);
        }
        html.Add($"</tbody>\n</table>\n</section>\n");
    }

    private static void AddRow(Html html, PageInput input, Verdict verdict, Standing standing, RouteStates routes)
    {
        PeerState state = standing.State;
        string reason = verdict.Reason.Length > 0 ? verdict.Reason : verdict.Kind == VerdictKind.Routed ? routes.Why(verdict.PodCidr) : "";
        html.Add($"<tr><th scope=row>{verdict.Node.Name}<td>{verdict.Node.OperatingSystem}<td>{verdict.PodCidr}<td>{verdict.NextHop}")
            .Add($"<td class=word><span class={Looks.Class(state)}>{Looks.Sign(state)} {PeerStates.NameOf(state)}</span><td class=word>")
            .AddTime(standing.Since, input.Now)
            .Add($"<td>{reason}</tr>\n");
    }

    // Worst first, and in the order of names among equals, without sorting thousands.
    private static (IReadOnlyList<int> Rows, int Matching) Choose(PageInput input, PeerCounts counts)
    {
        Standings all = input.View.Standings;
        List<int> rows = [];
        int matching = 0;
        foreach ((PeerState state, int _) in counts.Peers)
        {
            for (int i = 0; i < all.States.Length; i++)
            {
                if (all.States[i].State != state || !Matches(all.Verdicts[i], input.Search))
                    continue;
                matching++;
                if (rows.Count < MostRows)
                    rows.Add(i);
            }
        }
        return (rows, matching);
    }

    private static bool Matches(in Verdict verdict, string search) => search.Length == 0 ||
        verdict.Node.Name.Contains(search, StringComparison.OrdinalIgnoreCase) ||
        verdict.PodCidr.ToString().Contains(search, StringComparison.OrdinalIgnoreCase) ||
        verdict.NextHop.ToString().Contains(search, StringComparison.OrdinalIgnoreCase);
}
