using HostGw.Planning;
using HostGw.Reconciliation;

namespace HostGw.Status.Page;

/// <summary>What is wrong, each with what to do about it; what keeps this host from being ready comes first.</summary>
internal static class Complaints
{
    private const int Most = 12;

    public static IReadOnlyList<Complaint> Of(PageInput input)
    {
        List<Complaint> all = [.. StatusBoard.NotReady(input.View.Last).Take(Most).Select(r => new Complaint(r, "", IsGrave: true))];
        if (input.Api.Problem is { } problem)
            all.Add(new($"the API server cannot be followed: {problem}", "what stands stays, and is repaired; only news of nodes wait until it answers", IsGrave: true));
        if (input.View.Last is { } last)
        {
            all.AddRange(OfNodes(last));
            all.AddRange(Problems.OfHost(last).Take(Most).Select(p => new Complaint(p.Text, p.Cure, IsGrave: false)));
        }
        return all;
    }

    public static void Add(Html html, IReadOnlyList<Complaint> all)
    {
        html.Add($"<section id=wrong data-live aria-live=polite>\n<h2>{(all.Count == 0 ? "Nothing is wrong" : "What is wrong")}</h2>\n");
        if (all.Count == 0)
            html.Add($"<p>Every route that should stand stands, and so do the rules.</p>\n");
        else
            html.Add($"<ul class=complaints>\n");
        foreach (Complaint complaint in all.Take(Most))
        {
            html.Add($"<li{new Own(complaint.IsGrave ? " class=w" : "")}>{complaint.Text}");
            if (complaint.Cure.Length > 0)
                html.Add($" <span class=cure>→ {complaint.Cure}</span>");
            html.Add($"</li>\n");
        }
        if (all.Count > Most)
            html.Add($"<li>and {all.Count - Most} more: <code>hostgw status</code> on the node lists all</li>\n");
        if (all.Count > 0)
            html.Add($"</ul>\n");
        html.Add($"</section>\n");
    }

    // A thousand nodes with the same fault are one thing to put right.
    private static IEnumerable<Complaint> OfNodes(PassReport last)
    {
        Dictionary<VerdictKind, (int Count, Verdict First)> kinds = [];
        foreach (Verdict verdict in last.Plan?.Verdicts ?? [])
        {
            if (Problems.IsProblem(verdict))
                kinds[verdict.Kind] = kinds.TryGetValue(verdict.Kind, out var seen) ? (seen.Count + 1, seen.First) : (1, verdict);
        }
        return from kind in kinds
               orderby kind.Key descending
               let more = kind.Value.Count > 1 ? $"; and {kind.Value.Count - 1} more {VerdictNames.Of(kind.Key)}" : ""
               select new Complaint(Problems.Describe(kind.Value.First) + more, Cures.Of(kind.Key), IsGrave: false);
    }
}

/// <param name="Cure">Empty where the text says it.</param>
/// <param name="IsGrave">It concerns the whole host.</param>
internal sealed record Complaint(string Text, string Cure, bool IsGrave);
