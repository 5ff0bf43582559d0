using HostGw.Planning;

namespace HostGw.Status.Page;

/// <summary>This node and its peers as a drawing; of many peers only how many are in which state.</summary>
internal static class PeersPicture
{
    public const int MostDrawn = 16;

    private const int RowHeight = 52, Width = 760, BoxWidth = 230, BoxHeight = 42, Middle = Width / 2, OwnWidth = 170;

    public static void Add(Html html, PageInput input, PeerCounts counts)
    {
        html.Add($"<section id=picture data-live>\n<h2>This node and its peers</h2>\n");
        Peer[] peers = [.. Peers(input.View.Standings).Take(MostDrawn + 1)];
        if (peers.Length > MostDrawn)
            AddBar(html, input, counts);
        else if (peers.Length > 0)
            AddStar(html, input, peers, counts);
        else
            html.Add($"<p>No other node is known.</p>\n");
        html.Add($"</section>\n");
    }

    // Peers left and right of this node, a line to each.
    private static void AddStar(Html html, PageInput input, Peer[] peers, PeerCounts counts)
    {
        int rows = Math.Max(2, (peers.Length + 1) / 2), height = rows * RowHeight + 8;
        double centre = height / 2.0;
        html.Add($"<svg viewBox=\"0 0 {new Own($"{Width} {height}")}\" role=img aria-labelledby=picture-title><title id=picture-title>{input.Node} and its peers' podCIDRs: {counts.ToString()}</title>\n");
        for (int i = 0; i < peers.Length; i++)
        {
            bool isLeft = i % 2 == 0;
            int onThisSide = (peers.Length + (isLeft ? 1 : 0)) / 2;
            double y = centre + (i / 2 - (onThisSide - 1) / 2.0) * RowHeight;
            AddPeer(html, peers[i], isLeft ? 4 : Width - BoxWidth - 4, y, isLeft, centre);
        }
        html.Add($"<g class=none><rect x=\"{Middle - OwnWidth / 2.0}\" y=\"{centre - 24.0}\" width=\"{(double)OwnWidth}\" height=\"48\" rx=\"8\"/><text x=\"{(double)Middle}\" y=\"{centre - 4}\" text-anchor=middle>{Cut(input.Node, 22)}</text>")
            .Add($"<text class=small x=\"{(double)Middle}\" y=\"{centre + 13}\" text-anchor=middle>{Cut(input.View.Last is { Plan.OwnPodCidrs: [var own, ..] } ? own.ToString() : "no podCIDR", 28)}</text></g>\n</svg>\n");
    }

    private static void AddPeer(Html html, Peer peer, double x, double y, bool isLeft, double centre)
    {
        bool stands = PeerStates.ConcernOf(peer.State) == Concern.None;
        double near = isLeft ? x + BoxWidth : x, own = isLeft ? Middle - OwnWidth / 2.0 : Middle + OwnWidth / 2.0;
        html.Add($"<g class={Looks.Class(peer.State)}><line{new Own(stands ? "" : " class=dashed")} x1=\"{near}\" y1=\"{y}\" x2=\"{own}\" y2=\"{Math.Clamp(y, centre - 14, centre + 14)}\"/>")
            .Add($"<rect x=\"{x}\" y=\"{y - BoxHeight / 2.0}\" width=\"{(double)BoxWidth}\" height=\"{(double)BoxHeight}\" rx=\"6\"/>")
            .Add($"<text x=\"{x + 10}\" y=\"{y - 3}\">{Looks.Sign(peer.State)} {Cut(peer.Verdict.Node.Name, 26)}</text>")
            .Add($"<text class=small x=\"{x + 10}\" y=\"{y + 13}\">{Cut(Second(peer), 40)}</text></g>\n");
    }

    private static void AddBar(Html html, PageInput input, PeerCounts counts)
    {
        html.Add($"<svg viewBox=\"0 0 760 36\" role=img aria-labelledby=picture-title><title id=picture-title>{input.Node} and its peers' podCIDRs: {counts.ToString()}</title>\n");
        // A single one among thousands must be seen, too.
        double least = 8, scale = (Width - least * counts.Peers.Length) / counts.Total, x = 0;
        foreach ((PeerState state, int count) in counts.Peers)
        {
            double width = least + count * scale;
            html.Add($"<g class={Looks.Class(state)}><rect class=bar x=\"{x}\" y=\"2\" width=\"{width - 1.5}\" height=\"32\"/></g>");
            x += width;
        }
        html.Add($"\n</svg>\n<p>");
        foreach ((PeerState state, int count) in counts.Peers)
            html.Add($"<span class={Looks.Class(state)}>{Looks.Sign(state)} {count} {PeerStates.NameOf(state)}</span>&emsp;");
        html.Add($"</p>\n");
    }

    private static string Second(Peer peer) =>
        peer.State == PeerState.Installed ? $"{peer.Verdict.PodCidr} via {peer.Verdict.NextHop}"
        : $"{(peer.Verdict.PodCidr.IsNone ? "no podCIDR" : peer.Verdict.PodCidr.ToString())}: {PeerStates.NameOf(peer.State)}";

    private static string Cut(string text, int most) => text.Length <= most ? text : string.Concat(text.AsSpan(0, most - 1), "…");

    // Of each node the podCIDR that concerns a person most, the first of equals.
    private static IEnumerable<Peer> Peers(Standings all)
    {
        Peer? best = null;
        for (int i = 0; i < all.States.Length; i++)
        {
            Peer next = new(all.Verdicts[i], all.States[i].State);
            if (best is { } whole && !ReferenceEquals(whole.Verdict.Node, next.Verdict.Node))
            {
                yield return whole;
                best = null;
            }
            if (next.State != PeerState.Self && (best is null || best.Value.State < next.State))
                best = next;
        }
        if (best is { } last)
            yield return last;
    }

    private readonly record struct Peer(Verdict Verdict, PeerState State);
}
