using System.Collections.Immutable;
using System.Globalization;
using HostGw.Planning;

namespace HostGw.Status.Page;

/// <summary>The number of podCIDRs of peers in each state, the most severe first.</summary>
internal sealed record PeerCounts(ImmutableArray<(PeerState State, int Count)> States)
{
    private static readonly PeerState[] All = Enum.GetValues<PeerState>();

    public int Total => States.Sum(s => s.Count);

    public static PeerCounts Of(PeerStates peers)
    {
        int[] counts = new int[All.Length];
        foreach (PeerStateSince peer in peers.States)
            counts[(int)peer.State]++;
        return new([.. from state in All.AsEnumerable().Reverse()
                       where state != PeerState.Self && counts[(int)state] > 0
                       select (state, counts[(int)state])]);
    }

    /// <summary>"1 rejected, 3 installed".</summary>
    public override string ToString() => States.IsEmpty ? "none" : string.Join(
        ", ", States.Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Count:N0} {s.State.Name()}")));
}

/// <summary>A drawing of this node and its peers; with many peers, of how many are in which state.</summary>
internal static class PeersPicture
{
    public const int MaxDrawn = 16;

    private const int Width = 760, RowHeight = 52, BoxWidth = 230, BoxHeight = 42, OwnWidth = 170;
    private const double Middle = Width / 2, OwnLeft = Middle - OwnWidth / 2.0, OwnRight = Middle + OwnWidth / 2.0;

    public static void Add(Html html, PageInput input, PeerCounts counts)
    {
        html.Add($"<section id=picture data-live>\n<h2>This node and its peers</h2>\n");
        Peer[] peers = [.. Peers(input.View.Peers, input.View.Probes.Reachability).Take(MaxDrawn + 1)];
        if (peers.Length > MaxDrawn)
            AddBar(html, input, counts);
        else if (peers.Length > 0)
            AddStar(html, input, peers, counts);
        else
            html.Add($"<p>The cluster has no other node.</p>\n");
        html.Add($"</section>\n");
    }

    // One for each node: its podCIDR in the most severe state. The verdicts of one node follow each other.
    private static IEnumerable<Peer> Peers(PeerStates all, Reachability reachability)
    {
        Peer? worst = null;
        for (int i = 0; i < all.States.Length; i++)
        {
            Peer next = new(all.Verdicts[i], all.States[i].State, reachability.Of(all.Verdicts[i]));
            if (worst is { } previous && !ReferenceEquals(previous.Verdict.Node, next.Verdict.Node))
            {
                yield return previous;
                worst = null;
            }
            if (next.State != PeerState.Self && (worst is null || worst.Value.State < next.State))
                worst = next;
        }
        if (worst is { } last)
            yield return last;
    }

    // Peers in two columns, this node between them, a line to each.
    private static void AddStar(Html html, PageInput input, Peer[] peers, PeerCounts counts)
    {
        int rows = Math.Max(2, (peers.Length + 1) / 2), height = rows * RowHeight + 8;
        double centre = height / 2.0;
        AddStart(html, input, height, counts);
        for (int i = 0; i < peers.Length; i++)
        {
            bool isLeft = i % 2 == 0;
            int inColumn = (peers.Length + (isLeft ? 1 : 0)) / 2;
            double y = centre + (i / 2 - (inColumn - 1) / 2.0) * RowHeight;
            AddPeer(html, peers[i], y, isLeft, centre);
        }
        string podCidr = input.View.Last is { Plan.OwnPodCidrs: [var own, ..] } ? own.ToString() : "no podCIDR";
        html.Add($"<g class=own><rect x=\"{OwnLeft}\" y=\"{centre - 24.0}\" width=\"{OwnWidth}\" height=\"48\" rx=\"8\"/>")
            .Add($"<text x=\"{Middle}\" y=\"{centre - 4}\" text-anchor=middle>{Cut(input.Node, 22)}</text>")
            .Add($"<text class=small x=\"{Middle}\" y=\"{centre + 13}\" text-anchor=middle>{Cut(podCidr, 28)}</text></g>\n</svg>\n");
    }

    private static void AddPeer(Html html, Peer peer, double y, bool isLeft, double centre)
    {
        StateStyle style = StateStyle.Of(peer.State);
        double left = isLeft ? 4 : Width - BoxWidth - 4;
        double lineStart = isLeft ? left + BoxWidth : left, lineEnd = isLeft ? OwnLeft : OwnRight;
        html.Add($"<g class={style.Class}><line{new RawHtml(style == StateStyle.Good ? "" : " class=dashed")} ")
            .Add($"x1=\"{lineStart}\" y1=\"{y}\" x2=\"{lineEnd}\" y2=\"{Math.Clamp(y, centre - 14, centre + 14)}\"/>")
            .Add($"<rect x=\"{left}\" y=\"{y - BoxHeight / 2.0}\" width=\"{BoxWidth}\" height=\"{BoxHeight}\" rx=\"6\"/>")
            .Add($"<text x=\"{left + 10}\" y=\"{y - 3}\">{style.Sign} {Cut(peer.Verdict.Node.Name, 26)}</text>")
            .Add($"<text class=small x=\"{left + 10}\" y=\"{y + 13}\">{Cut(peer.Details, 40)}</text></g>\n");
    }

    private static void AddBar(Html html, PageInput input, PeerCounts counts)
    {
        AddStart(html, input, 36, counts);
        // A minimum width, so that one among thousands is visible.
        double minimum = 8, scale = (Width - minimum * counts.States.Length) / counts.Total, x = 0;
        foreach ((PeerState state, int count) in counts.States)
        {
            double width = minimum + count * scale;
            html.Add($"<g class={StateStyle.Of(state).Class}>")
                .Add($"<rect class=bar x=\"{x}\" y=\"2\" width=\"{width - 1.5}\" height=\"32\"/></g>");
            x += width;
        }
        html.Add($"\n</svg>\n<p>");
        foreach ((PeerState state, int count) in counts.States)
            html.Add($"<span class={StateStyle.Of(state).Class}>{StateStyle.Of(state).Sign} {count} {state.Name()}</span>&emsp;");
        html.Add($"</p>\n");
    }

    private static void AddStart(Html html, PageInput input, int height, PeerCounts counts) =>
        html.Add($"<svg viewBox=\"0 0 {Width} {height}\" role=img aria-labelledby=picture-title>")
            .Add($"<title id=picture-title>{input.Node} and its peers' podCIDRs: {counts.ToString()}</title>\n");

    private static string Cut(string text, int length) => text.Length <= length ? text : string.Concat(text.AsSpan(0, length - 1), "…");

    private readonly record struct Peer(Verdict Verdict, PeerState State, Reach? Reach)
    {
        public string Details =>
            Reach?.Milliseconds is { } milliseconds
                ? $"{Verdict.PodCidr}: {(State == PeerState.Tunnelled ? "tunnel, " : "")}{ReachText.Of(milliseconds)}"
            : State == PeerState.Installed ? $"{Verdict.PodCidr} via {Verdict.NextHop}"
            : $"{(Verdict.PodCidr.IsNone ? "no podCIDR" : Verdict.PodCidr.ToString())}: {State.Name()}";
    }
}

/// <summary>The peers in a table, the most severe state first, and only as many as a person reads.</summary>
internal static class PeersTable
{
    public const int MaxRows = 100;

    public static void Add(Html html, PageInput input, PeerCounts counts)
    {
        html.Add($"<h2 id=peers-title>Peers</h2>\n<form role=search><label>Node, podCIDR or next hop: ")
            .Add($"<input name=node value=\"{input.Search}\" maxlength=100></label> <button>Show</button></form>\n")
            .Add($"<section id=peers data-live class=scroll aria-labelledby=peers-title>\n<table>\n");
        (IReadOnlyList<int> rows, int matching) = Choose(input, counts);
        AddCaption(html, input, rows.Count, matching, counts);
        string probes = input.View.Probes.Reachability.IsOn ? "<th scope=col>Probes" : "";
        html.Add($"<thead><tr><th scope=col>Node<th scope=col>OS<th scope=col>podCIDR<th scope=col>Next hop<th scope=col>State")
            .Add($"<th scope=col>Since{new RawHtml(probes)}<th scope=col>Reason</tr></thead>\n<tbody>\n");
        if (input.View.Last is { } last)
        {
            RouteStates routes = new(last);
            foreach (int row in rows)
                AddRow(html, input, input.View.Peers.Verdicts[row], input.View.Peers.States[row], routes);
        }
        html.Add($"</tbody>\n</table>\n</section>\n");
    }

    // By severity, then in the order of names, without sorting thousands.
    private static (IReadOnlyList<int> Rows, int Matching) Choose(PageInput input, PeerCounts counts)
    {
        PeerStates peers = input.View.Peers;
        List<int> rows = [];
        int matching = 0;
        foreach ((PeerState state, int _) in counts.States)
        {
            for (int i = 0; i < peers.States.Length; i++)
            {
                if (peers.States[i].State != state || !Matches(peers.Verdicts[i], input.Search))
                    continue;
                matching++;
                if (rows.Count < MaxRows)
                    rows.Add(i);
            }
        }
        return (rows, matching);
    }

    private static bool Matches(in Verdict verdict, string search) => search.Length == 0 ||
        verdict.Node.Name.Contains(search, StringComparison.OrdinalIgnoreCase) ||
        verdict.PodCidr.ToString().Contains(search, StringComparison.OrdinalIgnoreCase) ||
        verdict.NextHop.ToString().Contains(search, StringComparison.OrdinalIgnoreCase);

    private static void AddCaption(Html html, PageInput input, int shown, int matching, PeerCounts counts)
    {
        bool isCut = matching > shown;
        string selection = isCut ? "Problems first" : input.Search.Length > 0 ? "Found" : "All";
        html.Add($"<caption>{selection}: {shown} of {counts.Total} podCIDRs of peers ({counts.ToString()})");
        if (isCut)
            html.Add($"; search to see the other {matching - shown}");
        html.Add($".</caption>\n");
    }

    private static void AddRow(Html html, PageInput input, Verdict verdict, PeerStateSince peer, RouteStates routes)
    {
        StateStyle style = StateStyle.Of(peer.State);
        Reachability reachability = input.View.Probes.Reachability;
        string reason = routes.Reason(verdict, reachability);
        html.Add($"<tr><th scope=row>{verdict.Node.Name}<td>{verdict.Node.OperatingSystem}<td>{verdict.PodCidr}<td>{verdict.NextHop}")
            .Add($"<td class=word><span class={style.Class}>{style.Sign} {peer.State.Name()}</span><td class=word>")
            .AddTime(peer.Since, input.Now);
        if (reachability.IsOn)
            html.Add($"<td class=word>{(reachability.Of(verdict) is { } reach ? ReachText.Of(reach) : "")}");
        html.Add($"<td>{reason}</tr>\n");
    }
}
