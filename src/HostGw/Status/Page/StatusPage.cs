namespace HostGw.Status.Page;

/// <summary>
/// The status for a person: is it right, and if not, what is wrong and what to do. Works without JavaScript; with it, what
/// is marked live is kept up to date. Nothing comes from the network, and its size does not grow with the cluster.
/// </summary>
internal static class StatusPage
{
    public static byte[] Write(PageInput input)
    {
        Html html = new();
        IReadOnlyList<Complaint> complaints = Complaints.Of(input);
        int problems = complaints.Count;
        bool isReady = StatusBoard.NotReady(input.View.Last).Count == 0;
        string verdict = !isReady ? "not ready" : problems > 0 ? "ready, with problems" : "all in order";
        html.Add($"<!doctype html>\n<html lang=en data-version=\"{input.Version}\">\n<head>\n<meta charset=utf-8>\n<meta name=viewport content=\"width=device-width\">\n")
            .Add($"<title>{(isReady && problems == 0 ? "✓" : isReady ? "!" : "✗")} {input.Node} – HostGw</title>\n<link rel=icon href=\"data:,\">\n");
        PageFrame.AddStyleAndRefresh(html);
        html.Add($"</head>\n<body>\n<header id=top data-live>\n<h1>{input.Node}: <span class={(isReady ? problems > 0 ? "waits" : "good" : "wrong")}>{verdict}</span></h1>\n<p>");
        if (input.View.ReadySince is { } since)
            html.Add($"{(isReady ? "Ready" : "Not ready")} since ").AddTime(since, input.Now).Add($". ");
        html.Add($"As of {Rfc3339.Text(input.Now)}; all times are UTC.</p>\n</header>\n")
            .Add($"<p id=stale class=wrong role=alert hidden></p>\n<main>\n");

        Complaints.Add(html, complaints);
        PeerCounts counts = PeerCounts.Of(input.View.Standings);
        PeersPicture.Add(html, input, counts);
        HostFacts.Add(html, input);
        PassesTable.Add(html, input);
        PeersTable.Add(html, input, counts);
        html.Add($"</main>\n<footer>\n<p>hostgw {input.Version} on {input.Node}. The same for programs: <a href=\"/status\">/status</a> (JSON), ")
            .Add($"<a href=\"/metrics\">/metrics</a>, <a href=\"/readyz\">/readyz</a>. On the node: <code>hostgw doctor</code> looks further, <code>hostgw plan</code> shows what it would change.</p>\n</footer>\n");
        PageFrame.AddScript(html);
        return html.Add($"</body>\n</html>\n").ToUtf8();
    }
}
