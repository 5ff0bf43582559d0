using System.Collections.Immutable;
using System.Diagnostics;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Iptables;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Platform.Linux.Census;

/// <summary>
/// Finds the rules of other programs that drop or rewrite pods' packets, in nf_tables and in both flavours of iptables: it leads
/// classes of packets through all chains. What a rule does counts, not who made it.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class RulesetCensus(Func<ForeignTables?> tables, IptablesPrograms[] iptables)
{
    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(30);

    private readonly CensusPrograms _programs = new(iptables);

    /// <param name="withIptables">False: only tables that need no program to be read.</param>
    /// <exception cref="HostNetworkException">nf_tables cannot be read.</exception>
    public CensusResult Take(Plan plan, HostState host, bool withIptables)
    {
        PodTraffic[] traffic = [.. PodTraffic.Of(plan, host)];
        if (traffic.Length == 0)
            return CensusResult.Empty;
        Deadline deadline = new(Budget);
        ForeignRulesets rulesets = new(tables(), _programs, forwardAccept: !plan.ForwardAccept.IsEmpty);
        List<string> unknown = [];
        Walk walk = new(rulesets.BaseChains(withIptables, unknown), deadline);
        walk.Follow(traffic, rulesets.Mentions);
        if (!walk.IsComplete)
            unknown.Add("whether all foreign rules leave pods' packets alone is unknown: there are too many of them");
        return RuleFindings.Of(walk, plan.OwnPodCidrs) with { Unknown = [.. unknown] };
    }
}

/// <summary>What foreign rules do to pods' packets.</summary>
/// <param name="Rewrites">They give packets between pods another source address.</param>
/// <param name="Losses">They drop packets, or send them elsewhere; each with the cure.</param>
/// <remarks>It is kept until the next census: nothing in it refers to the rules that were read, which may be many.</remarks>
internal sealed record CensusResult(ImmutableArray<RuleRewrite> Rewrites, ImmutableArray<RuleLoss> Losses)
{
    public static CensusResult Empty { get; } = new([], []);

    /// <summary>Why rules could not be read.</summary>
    public ImmutableArray<string> Unknown { get; init; } = [];

    /// <summary>Rules of which an ipset decides what they do to pods' packets: no reason for another census, nor against one.</summary>
    public ImmutableArray<RuleDoubt> Doubts { get; init; } = [];

    public IReadOnlyList<Leftover> Leftovers => [.. Rewrites.Select(r => r.Rule), .. Unknown.Select(u => new Leftover(u, null))];

    /// <summary>Something was found that only a program could read.</summary>
    public bool HasIptables => Rewrites.Any(r => r.IsOfIptables) || Losses.Any(l => l.IsOfIptables);
}

internal readonly record struct RuleRewrite(Leftover Rule, bool IsOfIptables);

/// <param name="Text">With the cure.</param>
/// <param name="IsOfIptables">It was read by a program.</param>
internal readonly record struct RuleLoss(string Text, bool IsOfIptables);

/// <summary>Decides when a census is taken, and keeps what it found: rules may be many, and passes are frequent.</summary>
[SupportedOSPlatform("linux")]
internal sealed class ForeignRules(Func<ForeignTables?> tables, IptablesPrograms[] iptables)
{
    private readonly RulesetCensus _census = new(tables, iptables);
    private CensusResult _found = CensusResult.Empty;
    private uint? _generation;
    private Deadline _unknownUntil;

    /// <summary>Foreign rules that drop pods' packets or send them elsewhere, each with the cure.</summary>
    public IEnumerable<string> Losses => _found.Losses.Select(l => l.Text);

    /// <inheritdoc cref="CensusResult.Doubts"/>
    public IReadOnlyList<RuleDoubt> Doubts => _found.Doubts;

    /// <returns>
    /// Foreign rules that give packets between pods another source address; null: not searched for, or rules cannot be read.
    /// </returns>
    public IReadOnlyList<Leftover>? Find(HostChanges changes)
    {
        bool again = changes is { ChangesForward: true, ReadsRulesAgain: true };
        if (!changes.FindsLeftovers && !again)
            return null;
        try
        {
            uint generation = tables()?.Generation() ?? 0;
            // The kernel announces no change of iptables-legacy: what was found there is read again.
            bool withIptables = changes.FindsLeftovers || _found.HasIptables;
            // Every transaction of any program changes the generation, and kube-proxy makes one with each change of a Service.
            if (generation != _generation || (withIptables && !IsUnknownForNow))
                Take(changes, withIptables, generation);
            return changes.FindsLeftovers ? _found.Leftovers : null;
        }
        catch (HostNetworkException)
        {
            return null; // nf_tables cannot be read, which is already a failure of the masquerade rule
        }
    }

    // What could not be read a moment ago is not tried again: the program may hang until its timeout.
    private bool IsUnknownForNow => !_found.HasIptables && !_found.Unknown.IsEmpty && !_unknownUntil.IsPast;

    private void Take(HostChanges changes, bool withIptables, uint generation)
    {
        CensusResult found = _census.Take(changes.Plan, changes.Host, withIptables);
        _found = withIptables ? found : found with { Unknown = _found.Unknown, Doubts = _found.Doubts };
        _unknownUntil = withIptables ? new(CensusPrograms.Pause) : _unknownUntil;
        _generation = generation; // after a census that failed the next one is not the same
    }
}

/// <summary>All tables of other programs on this host, and the chains at which packets enter them.</summary>
[SupportedOSPlatform("linux")]
internal sealed class ForeignRulesets(ForeignTables? nftables, CensusPrograms iptables, bool forwardAccept)
{
    /// <summary>The addresses that the rules read so far name.</summary>
    public List<AddressRange> Mentions { get; } = [];

    /// <summary>In the order in which packets pass them.</summary>
    /// <param name="unknown">Receives what could not be read.</param>
    /// <exception cref="HostNetworkException">nf_tables cannot be read.</exception>
    public List<BaseChain> BaseChains(bool withIptables, List<string> unknown)
    {
        List<BaseChain> chains = [];
        List<NftHookChain> all = nftables?.HookChains() ?? [];
        foreach (IGrouping<(NftFamily Family, string Table), NftHookChain> table in all.GroupBy(c => (c.Family, c.Table)))
        {
            if (!IsOfIptables(table.Key.Family, table.Key.Table, table))
                AddNft(table, isOfIptables: false, chains);
            else if (withIptables)
                AddIptablesNft(table, chains, unknown);
        }
        foreach (IptablesPrograms legacy in withIptables ? iptables.Legacy : [])
        {
            AddLegacy(legacy, ipv4: true, chains, unknown);
            AddLegacy(legacy, ipv4: false, chains, unknown);
        }
        return [.. chains.OrderBy(c => c.Priority)];
    }

    private static bool IsOfIptables(NftFamily family, string table, IEnumerable<NftHookChain> chains) =>
        family is NftFamily.IPv4 or NftFamily.IPv6 && chains.Any(c => BuiltInChains.Has(table, c.Chain.Name));

    private void AddNft(IGrouping<(NftFamily Family, string Name), NftHookChain> listed, bool isOfIptables, List<BaseChain> chains)
    {
        NftForeignTable table = new(listed.Key.Family, listed.Key.Name, nftables!, Mentions);
        foreach (NftHookChain chain in listed)
        {
            if (HookOf(listed.Key.Family, chain.Chain.Hook) is not { } hook)
                continue;
            chains.Add(new(table, chain.Chain.Name, listed.Key.Family, hook, chain.Chain.Priority)
            {
                Devices = chain.Devices,
                IsNat = chain.Chain.Type == "nat",
                DropsByPolicy = chain.Chain.Policy == NfTables.NF_DROP,
                IsOfIptables = isOfIptables,
                IsHandledByForwardAccept = forwardAccept && isOfIptables && BuiltInChains.IsForward(listed.Key.Name, chain.Chain.Name),
            });
        }
    }

    private void AddIptablesNft(
        IGrouping<(NftFamily Family, string Name), NftHookChain> listed, List<BaseChain> chains, List<string> unknown)
    {
        bool ipv4 = listed.Key.Family == NftFamily.IPv4;
        // Most of these tables are empty, and a program takes its time.
        if (listed.All(c => IsEmpty(c)))
            return;
        IptablesPrograms? programs = iptables.Nft(ipv4);
        // Without the program, or where it fails, the extensions of iptables are not understood, and everything else is.
        if (programs is null || !TryAdd(programs, ipv4, listed.Key.Name, chains, unknown))
            AddNft(listed, isOfIptables: true, chains);
    }

    private bool IsEmpty(NftHookChain chain) =>
        chain.Chain.Policy != NfTables.NF_DROP && nftables!.Rules(chain.Family, chain.Table, chain.Chain.Name).Count == 0;

    private void AddLegacy(IptablesPrograms programs, bool ipv4, List<BaseChain> chains, List<string> unknown)
    {
        // Reading creates tables that do not exist.
        foreach (string table in programs.AreInstalled(ipv4) ? IptablesPresence.LegacyTables(ipv4) : [])
        {
            if (BuiltInChains.HasTable(table))
                TryAdd(programs, ipv4, table, chains, unknown);
        }
    }

    private bool TryAdd(IptablesPrograms programs, bool ipv4, string name, List<BaseChain> chains, List<string> unknown)
    {
        if (iptables.Read(programs, ipv4, name, unknown) is not { } saved)
            return false;
        chains.AddRange(BuiltInChains.Of(new(programs, ipv4, name, saved, Mentions), saved, forwardAccept));
        return true;
    }

    private static Hook? HookOf(NftFamily family, uint number) => (family, number) switch
    {
        (NftFamily.Netdev, 0) or (NftFamily.Inet, 5) => Hook.Ingress,
        (NftFamily.Netdev, 1) => Hook.Egress,
        (NftFamily.Netdev, _) => null,
        (NftFamily.Arp, 0) => Hook.Input,
        (NftFamily.Arp, 1) => Hook.Output,
        (NftFamily.Arp, _) => null,
        (_, <= 4) => Hook.Prerouting + (int)number,
        _ => null,
    };
}

/// <summary>
/// Reads tables of iptables with its programs. One that hangs takes the time of the pass: after a failure its flavour is not run for
/// some minutes, even if something wakes the agent.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class CensusPrograms(IptablesPrograms[] all)
{
    public static readonly TimeSpan Pause = TimeSpan.FromMinutes(10);

    private readonly Dictionary<IptablesFlavour, (string Unknown, Deadline Pause)> _failed = [];

    public IEnumerable<IptablesPrograms> Legacy => all.Where(p => p.Flavour == IptablesFlavour.Legacy);

    public IptablesPrograms? Nft(bool ipv4) => all.FirstOrDefault(p => p.Flavour == IptablesFlavour.Nft && p.AreInstalled(ipv4));

    /// <param name="unknown">Receives what is not known because the table could not be read.</param>
    public SavedTable? Read(IptablesPrograms programs, bool ipv4, string table, List<string> unknown)
    {
        string? why = null;
        if (_failed.TryGetValue(programs.Flavour, out (string Unknown, Deadline Pause) failed) && !failed.Pause.IsPast)
            why = failed.Unknown;
        if (why is null)
        {
            try
            {
                return programs.Read(ipv4, table, new(table, static (_, _) => true));
            }
            catch (IptablesException e)
            {
                why = Unknown(programs, ipv4, e.Message);
                if (!e.IsOfOneTable)
                    _failed[programs.Flavour] = (why, new(Pause));
            }
        }
        if (!unknown.Contains(why))
            unknown.Add(why);
        return null;
    }

    private static string Unknown(IptablesPrograms programs, bool ipv4, string why) =>
        $"{programs.Name}, {(ipv4 ? "IPv4" : "IPv6")}: whether a rule drops or masquerades traffic from pod to pod is unknown ({why})";
}

/// <summary>By when a census has to end, finished or not.</summary>
internal readonly struct Deadline(TimeSpan budget)
{
    private readonly long _start = Stopwatch.GetTimestamp();

    public bool IsPast => Stopwatch.GetElapsedTime(_start) > budget;
}
