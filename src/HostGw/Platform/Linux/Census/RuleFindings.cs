using System.Collections.Immutable;

namespace HostGw.Platform.Linux.Census;

/// <summary>Says what was found, where, and what cures it. Pure.</summary>
internal static class RuleFindings
{
    private const int MaxFindings = 50;
    private const int MaxText = 300;

    /// <param name="podCidrs">This node's.</param>
    public static CensusResult Of(Walk walk, ImmutableArray<Prefix> podCidrs) =>
        Of(walk.Hits, podCidrs) with { Doubts = [.. walk.Doubts] };

    // Of firewalld and others one line may be a page long.
    public static string Quote(ForeignRule rule) => rule.Text is { Length: > MaxText } text ? text[..MaxText] + "…" : rule.Text;

    private static CensusResult Of(IReadOnlyList<RuleHit> hits, ImmutableArray<Prefix> podCidrs)
    {
        List<RuleRewrite> rewrites = [];
        List<RuleLoss> losses = [];
        foreach (IGrouping<object, RuleHit> found in hits.GroupBy(h => h.Rule as object ?? h.Base).Take(MaxFindings))
        {
            RuleHit[] all = [.. found];
            RuleHit first = all[0];
            // Pods reach what is outside of the cluster by a masquerade, and a rewritten destination there may be meant.
            RuleHit[] between = [.. all.Where(h => h.Packet.Flow is PodFlow.OwnToPeer or PodFlow.PeerToOwn or PodFlow.OwnToOwn)];
            if (first.Effect == RuleVerdict.Drop)
                Lose($"drops {Packets(all)}{Doubt(all)}: {Cure(first, all, podCidrs)}");
            else if (between.Length > 0 && first.Effect == RuleVerdict.RewriteDestination)
                Lose($"changes the destination of {Packets(between)}: {RemoveCure(first)}");
            else if (between.Length > 0)
                rewrites.Add(new(Rewrite(first, between), first.Base.IsOfIptables));

            void Lose(string what) => losses.Add(new($"{Subject(first)} {what}", first.Base.IsOfIptables));
        }
        return new([.. rewrites], [.. losses]);
    }

    private static Leftover Rewrite(RuleHit first, RuleHit[] hits) => new(
        $"{Subject(first)} changes the source address of {Packets(hits)} ({first.Base.Table.RemoveCommand(first.Chain, first.Rule)})",
        first.Base.Table.Removal(first.Chain, first.Rule!));

    private static string Subject(RuleHit hit)
    {
        string where = hit.Chain == hit.Base.Name ? $"chain {hit.Chain} ({hit.Base.Where})"
            : $"chain {hit.Chain} (from {hit.Base.Name}, {hit.Base.Where})";
        return $"{(hit.Rule is null ? "the policy" : $"the rule '{Quote(hit.Rule)}'")} of {hit.Base.Table.Name}, {where}";
    }

    private static string Packets(RuleHit[] hits)
    {
        PodFlow[] found = [.. hits.Select(h => h.Packet.Flow).Distinct()];
        IEnumerable<string> flows = !found.Contains(PodFlow.OwnToPeer) || !found.Contains(PodFlow.PeerToOwn)
            ? found.Select(f => Words(f, hits[0].Packet.IsIPv4))
            : found.Contains(PodFlow.OwnToOutside) ? ["packets from and to this node's pods"] : ["packets between pods"];
        PacketClass sample = hits[0].Packet;
        string example = sample.Destination.IsNone ? "" : $", such as from {sample.Source} to {sample.Destination}";
        return $"{string.Join(", and ", flows)}{example}";
    }

    private static string Words(PodFlow flow, bool ipv4) => flow switch
    {
        PodFlow.OwnToPeer => "packets from this node's pods to pods of other nodes",
        PodFlow.PeerToOwn => "packets from pods of other nodes to this node's pods",
        PodFlow.OwnToOwn => "packets between this node's pods",
        PodFlow.OwnToOutside => "packets from this node's pods to what is outside of the cluster",
        PodFlow.OutsideToOwn => "answers from outside of the cluster to this node's pods",
        _ => ipv4 ? "ARP, by which other nodes are found" : "neighbour discovery, by which other nodes are found",
    };

    private static string Doubt(RuleHit[] hits) => hits.Any(h => h.IsCertain) ? "" : ", unless an earlier rule accepts them";

    private static string Cure(RuleHit first, RuleHit[] hits, ImmutableArray<Prefix> podCidrs)
    {
        if (first.Base.IsNat)
            return RemoveCure(first);
        IEnumerable<AcceptMatch> matches = first.Packet.Flow == PodFlow.Neighbours
            ? [new(default, first.Packet.In.IsUnknown ? first.Packet.Out.Name : first.Packet.In.Name) { IsArp = first.Packet.IsIPv4 }]
            : podCidrs.Where(p => hits.Any(h => h.Packet.IsIPv4 == p.IsIPv4)).Select(p => new AcceptMatch(p, ""));
        string accept = string.Join("; ", matches.Select(m => first.Base.Table.AcceptCommand(first.Base, m)).Distinct());
        string remove = first.Base.Table.RemoveCommand(first.Chain, first.Rule);
        return $"let them pass there: {accept}; or, where it is not needed, remove it: {remove}";
    }

    private static string RemoveCure(RuleHit hit) =>
        $"remove it, or except pods from it: {hit.Base.Table.RemoveCommand(hit.Chain, hit.Rule)}";
}
