using HostGw.Platform.Linux.Nftables;

namespace HostGw.Platform.Linux.Census;

/// <summary>What happens to a class of packets at a rule, or by a chain's policy.</summary>
/// <param name="Rule">Null: the policy of the base chain.</param>
/// <param name="IsCertain">False: an earlier rule, whose conditions HostGw cannot judge, may exempt them.</param>
internal sealed record RuleHit(BaseChain Base, string Chain, ForeignRule? Rule, RuleVerdict Effect, PacketClass Packet, bool IsCertain);

/// <summary>Leads classes of packets through chains as the kernel does. Bounded in depth and steps.</summary>
internal sealed class Walk(IReadOnlyList<BaseChain> chains, Deadline deadline)
{
    private const int Rounds = 3;
    private const int MaxDepth = 32;
    private const int MaxSteps = 20_000_000;
    private const int MaxDoubts = 10;

    // Filled by agents of the cluster: a network policy that they enforce is meant.
    private static readonly string[] SetsOfAgents = ["KUBE-", "kube-router-", "cali", "weave-"];

    // What kube-router puts before the names of its sets of IPv6.
    private const string IPv6Set = "inet6:";

    private readonly List<RuleHit> _hits = [];
    private readonly HashSet<RuleDoubt> _doubts = [];
    private readonly List<RuleOutcome>[] _outcomes = [.. Enumerable.Range(0, MaxDepth + 1).Select(_ => new List<RuleOutcome>())];
    private int _steps;

    public IReadOnlyList<RuleHit> Hits => _hits;

    /// <summary>Rules of which an ipset decides whether they concern pods' packets.</summary>
    public IReadOnlyCollection<RuleDoubt> Doubts => _doubts;

    /// <summary>False: there are so many rules, or they are read so slowly, that it gave up.</summary>
    public bool IsComplete => _steps < MaxSteps;

    /// <summary>Rules are read as packets reach them, and may name addresses that other packets are then tried with.</summary>
    public void Follow(IReadOnlyList<PodTraffic> traffic, IReadOnlyList<AddressRange> mentions)
    {
        foreach (PodTraffic family in traffic)
        {
            foreach (PacketClass packet in family.Whole())
                Follow(packet);
            HashSet<Prefix> parts = [];
            foreach (bool others in (bool[])[false, true])
            {
                for (int round = 0, seen = -1; round < Rounds && seen != mentions.Count; round++)
                {
                    seen = mentions.Count;
                    foreach (PacketClass packet in family.Parts([.. mentions.Distinct()], parts, others))
                        Follow(packet);
                }
            }
        }
    }

    private void Follow(PacketClass packet)
    {
        packet.Begin();
        foreach ((NftFamily family, Hook hook) in Stages.Of(packet))
        {
            foreach (BaseChain chain in chains)
            {
                packet.IsTracked = chain.IsAfterTracking;
                if (chain.IsPassedBy(packet, hook, family))
                    Enter(chain, packet);
            }
        }
    }

    private void Enter(BaseChain chain, PacketClass packet)
    {
        Passage passage = new(chain, packet);
        Match left = Run(chain.Name, new(passage, Match.All, Match.All, 0) { PathIfInSets = Match.All });
        if (left != Match.None && chain.DropsByPolicy && !chain.IsHandledByForwardAccept)
            _hits.Add(new(chain, chain.Name, null, RuleVerdict.Drop, packet, left == Match.All));
    }

    /// <returns>How many packets are left at the chain's end.</returns>
    private Match Run(string name, Step step)
    {
        if (deadline.IsPast)
            _steps = MaxSteps;
        if (!IsComplete)
            return Match.None;
        if (step.Depth >= MaxDepth || step.Passage.Base.Table.Rules(name) is not { } rules)
            return step.Reach;
        List<RuleOutcome> outcomes = _outcomes[step.Depth];
        ChainState state = new(step.Reach);
        for (int i = 0; i < rules.Count && state.Here != Match.None; i++)
        {
            if (++_steps >= MaxSteps)
                return Match.None;
            outcomes.Clear();
            rules[i].Apply(step.Passage.Packet, step.Path.And(state.Here), outcomes);
            foreach (RuleOutcome outcome in outcomes)
            {
                if (outcome.Match != Match.None && state.Here != Match.None)
                    Take(name, rules[i], outcome, step, ref state);
            }
        }
        return state.AtEnd(step.Reach);
    }

    private void Take(string name, ForeignRule rule, RuleOutcome outcome, Step step, ref ChainState state)
    {
        switch (outcome.Verdict)
        {
            case RuleVerdict.Accept or RuleVerdict.Queue:
                state.End(outcome.Match);
                break;
            case RuleVerdict.Drop or RuleVerdict.RewriteSource or RuleVerdict.RewriteDestination:
                Report(name, rule, outcome, step, state.Here);
                state.End(outcome.Match);
                break;
            case RuleVerdict.Return:
                state.Return(outcome.Match);
                break;
            case RuleVerdict.Jump or RuleVerdict.Goto:
                Match left = Run(
                    outcome.Chain, step with
                    {
                        Path = step.Path.And(outcome.Match),
                        PathIfInSets = step.PathIfInSets.And(outcome.MatchIfInSets),
                        Sets = outcome.Sets.Count == 0 ? step.Sets : [.. step.Sets, .. outcome.Sets],
                        Reach = state.Here,
                        Depth = step.Depth + 1,
                    });
                state.Jumped(outcome.Match, left, isGoto: outcome.Verdict == RuleVerdict.Goto);
                break;
        }
    }

    private void Report(string name, ForeignRule rule, RuleOutcome outcome, Step step, Match reach)
    {
        BaseChain chain = step.Passage.Base;
        bool certain = reach == Match.All;
        if (step.Passage.Packet.Flow is PodFlow.OwnToPeer or PodFlow.PeerToOwn or PodFlow.OwnToOwn &&
            step.Path.And(outcome.Match) != Match.All && step.PathIfInSets.And(outcome.MatchIfInSets) == Match.All)
            Doubt(name, rule, outcome.Verdict, chain, [.. step.Sets, .. outcome.Sets]);
        // Who knows the exceptions of a NAT rule is sure that packets are rewritten; a drop is worth a look without.
        if (step.Path.And(outcome.Match) != Match.All || (!certain && outcome.Verdict != RuleVerdict.Drop) || chain.Table.IsOurs(name))
            return;
        bool handled = chain.IsHandledByForwardAccept && name == chain.Name && rule.IsUnconditional;
        if (!handled)
            _hits.Add(new(chain, name, rule, outcome.Verdict, step.Passage.Packet, certain));
    }

    private static bool IsOfAgent(string set)
    {
        string name = set.StartsWith(IPv6Set, StringComparison.Ordinal) ? set[IPv6Set.Length..] : set;
        return SetsOfAgents.Any(s => name.StartsWith(s, StringComparison.Ordinal));
    }

    private void Doubt(string name, ForeignRule rule, RuleVerdict verdict, BaseChain chain, IpsetCondition[] sets)
    {
        if (_doubts.Count >= MaxDoubts || sets.All(s => IsOfAgent(s.Name)))
            return;
        string effect = verdict == RuleVerdict.Drop ? "drops packets between pods" : "changes the addresses of packets between pods";
        _doubts.Add(new(
            $"the rule '{RuleFindings.Quote(rule)}' of {chain.Table.Name}, chain {name}, {effect} if they are " +
            $"{string.Join(" and ", sets.Select(s => $"{(s.IsNegated ? "not " : "")}in the ipset {s.Name}"))}, which HostGw does not read",
            string.Join("; or, ", sets.Select(s => $"ipset list {s.Name} shows its addresses: " +
                (s.IsNegated ? "every pod network must be among them" : "no address of a pod network may be among them")))));
    }

    private sealed record Passage(BaseChain Base, PacketClass Packet);

    /// <param name="Path">How many packets match the jumps that lead here.</param>
    /// <param name="Reach">How many of those are left.</param>
    private readonly record struct Step(Passage Passage, Match Path, Match Reach, int Depth)
    {
        /// <summary>How many would match them if the ipsets on the way matched.</summary>
        public Match PathIfInSets { get; init; }

        /// <summary>The ipsets on the way.</summary>
        public IReadOnlyList<IpsetCondition> Sets { get; init; } = [];
    }

    /// <summary>Which packets are where while a chain is run.</summary>
    private struct ChainState(Match reach)
    {
        private bool _ended, _returned;

        public Match Here { get; private set; } = reach;

        public void End(Match match)
        {
            _ended = true;
            Leave(match);
        }

        public void Return(Match match)
        {
            _returned = true;
            Leave(match);
        }

        public void Jumped(Match match, Match left, bool isGoto)
        {
            _ended |= left < Here;
            if (isGoto)
            {
                _returned |= left != Match.None;
                Leave(match);
            }
            else if (left < Here)
            {
                Leave(left == Match.None ? match : Match.Some);
            }
        }

        public readonly Match AtEnd(Match reach) =>
            Here == Match.None && !_returned ? Match.None : _ended ? Match.Some : reach;

        private void Leave(Match match) => Here = match == Match.All ? Match.None : Match.Some;
    }
}

/// <summary>The hooks that packets pass on their way through this host, in their order.</summary>
internal static class Stages
{
    public static IEnumerable<(NftFamily Family, Hook Hook)> Of(PacketClass packet)
    {
        NftFamily family = packet.IsIPv4 ? NftFamily.IPv4 : NftFamily.IPv6;
        yield return (NftFamily.Netdev, Hook.Ingress);
        yield return (family, Hook.Ingress);
        foreach (Hook hook in packet.In.IsBridge ? (Hook[])[Hook.Prerouting, Hook.Input] : [])
            yield return (NftFamily.Bridge, hook);
        // ARP has no routing between its hooks.
        bool isArp = packet.Protocol == PacketClass.NoProtocol, isLocal = packet.Flow == PodFlow.Neighbours, isSent = !packet.Out.IsUnknown;
        Hook[] hooks = isArp ? [isSent ? Hook.Output : Hook.Input]
            : isLocal ? isSent ? [Hook.Output, Hook.Postrouting] : [Hook.Prerouting, Hook.Input]
            : [Hook.Prerouting, Hook.Forward, Hook.Postrouting];
        foreach (Hook hook in hooks)
            yield return (isArp ? NftFamily.Arp : family, hook);
        foreach (Hook hook in packet.Out.IsBridge ? (Hook[])[Hook.Output, Hook.Postrouting] : [])
            yield return (NftFamily.Bridge, hook);
        yield return (NftFamily.Netdev, Hook.Egress);
    }
}
