using HostGw.Platform;
using HostGw.Reconciliation;

namespace HostGw.Status.Page;

/// <summary>What the latest passes did, and how often something had to be repaired.</summary>
internal static class PassesTable
{
    public static void Add(Html html, PageInput input)
    {
        html.Add($"<section id=passes data-live class=scroll>\n<h2>Passes and repairs</h2>\n");
        StatusCounters counters = input.View.Counters;
        if (input.View.Last is { } last)
        {
            html.Add($"<p>Last pass ").AddTime(last.At, input.Now).Add($", for {WakeCauseNames.Of(last.Causes)}, in {last.Elapsed.TotalMilliseconds} ms. ")
                .Add($"Since the agent started: passes {counters.Passes}, with changes {counters.Changed}, failed {counters.Failed}.</p>\n<p>Repaired: {Sum(counters.Repairs)}.</p>\n");
        }
        html.Add($"<table>\n<caption>The latest {PassNotes.Most} passes that changed something or failed, newest first.</caption>\n")
            .Add($"<thead><tr><th scope=col>When<th scope=col>What<th scope=col>Caused by<th scope=col>Took<th scope=col>Details</tr></thead>\n<tbody>\n");
        foreach (PassNote note in input.View.Notes)
            AddRow(html, input, note);
        html.Add($"</tbody>\n</table>\n</section>\n");
    }

    private static void AddRow(Html html, PageInput input, PassNote note)
    {
        (string look, string kind) = note.Kind switch
        {
            PassKind.Failure => ("wrong", "✗ failed"),
            PassKind.Repair => ("waits", "↻ repair"),
            _ => ("good", "✓ change"),
        };
        html.Add($"<tr><td class=word>").AddTime(note.At, input.Now).Add($"<td class=word><span class={look}>{kind}</span>");
        if (note.Times > 1)
            html.Add($" {note.Times} times since {Moments.Short(note.FirstAt, input.Now)}");
        html.Add($"<td>{WakeCauseNames.Of(note.Causes).Replace(",", ", ", StringComparison.Ordinal)}<td class=word>{note.Elapsed.TotalMilliseconds} ms<td>{note.Text}</tr>\n");
    }

    private static string Sum(Repairs repairs)
    {
        (string What, long Times)[] all =
        [
            ("routes removed by somebody", repairs.RoutesRemoved), ("routes changed", repairs.RoutesChanged), ("routes overwritten", repairs.RoutesOverwritten),
            ("masquerade rule", repairs.Masquerade), ("accept in FORWARD", repairs.ForwardAccept), ("forwarding", repairs.Forwarding), ("CNI configuration", repairs.Cni),
        ];
        string sum = string.Join(", ", all.Where(a => a.Times > 0).Select(a => $"{a.What} {a.Times}"));
        return sum.Length > 0 ? sum : "nothing had to be";
    }
}
