using System.Collections.Immutable;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Platform.Linux.Census;

/// <summary>What a rule does with a packet that it matches.</summary>
internal enum RuleVerdict
{
    Continue,
    Accept,
    Drop,
    Return,
    Jump,
    Goto,
    RewriteSource,
    RewriteDestination,

    /// <summary>A program decides.</summary>
    Queue,
}

/// <param name="Chain">The target of a jump.</param>
internal readonly record struct RuleOutcome(Match Match, RuleVerdict Verdict, string Chain = "")
{
    /// <summary>The ipsets that decide with the other conditions.</summary>
    public IReadOnlyList<IpsetCondition> Sets { get; init; } = [];

    /// <summary>What would match if the ipsets matched.</summary>
    public Match MatchIfInSets { get; init; } = Match;
}

/// <param name="IsNegated">What is not in the set matches.</param>
internal sealed record IpsetCondition(string Name, bool IsNegated);

/// <summary>A rule of another program.</summary>
internal abstract class ForeignRule
{
    /// <summary>As the program that lists such rules prints it.</summary>
    public abstract string Text { get; }

    /// <summary>It has no condition.</summary>
    public virtual bool IsUnconditional => false;

    /// <summary>Applies it to a class of packets, marks included. A verdict map has several outcomes.</summary>
    /// <param name="level">How many of the packets reach the rule.</param>
    public abstract void Apply(PacketClass packet, Match level, List<RuleOutcome> outcomes);
}

/// <summary>Where in its way through the kernel a packet meets a chain.</summary>
internal enum Hook
{
    Ingress,
    Prerouting,
    Input,
    Forward,
    Output,
    Postrouting,
    Egress,
}

/// <summary>The chains of one table of another program. They are read when a packet reaches them.</summary>
internal abstract class ForeignTable
{
    /// <summary>With its family, as it is written in a sentence: "nftables table inet filter".</summary>
    public abstract string Name { get; }

    /// <summary>Rules here are HostGw's own: they are followed, and never reported.</summary>
    public virtual bool IsOurs(string chain) => false;

    /// <summary>Null: there is no such chain.</summary>
    public abstract IReadOnlyList<ForeignRule>? Rules(string chain);

    /// <summary>The command that removes a rule, or that makes a chain's policy accept if there is no rule.</summary>
    public abstract string RemoveCommand(string chain, ForeignRule? rule);

    /// <summary>The commands that let packets pass which a chain drops.</summary>
    /// <param name="match">What they have in common.</param>
    public abstract string AcceptCommand(BaseChain chain, AcceptMatch match);

    /// <summary>
    /// Removes a rule when it is called, or throws a <see cref="HostNetworkException"/>. Refers to no table and to no rule.
    /// </summary>
    public abstract Action Removal(string chain, ForeignRule rule);
}

/// <summary>What an exception from a drop matches.</summary>
/// <param name="Pods">A podCIDR, from and to which packets pass.</param>
/// <param name="Link">Where <paramref name="Pods"/> is none: the interface on which neighbours are resolved.</param>
internal readonly record struct AcceptMatch(Prefix Pods, string Link)
{
    /// <summary>Neighbours are resolved by ARP.</summary>
    public bool IsArp { get; init; }
}

/// <summary>A chain that the kernel calls at a hook.</summary>
/// <param name="Devices">Empty: all.</param>
internal sealed record BaseChain(ForeignTable Table, string Name, NftFamily Family, Hook Hook, int Priority)
{
    private const int TrackingPriority = -200;

    public ImmutableArray<string> Devices { get; init; } = [];

    /// <summary>Only packets that begin a connection pass it.</summary>
    public bool IsNat { get; init; }

    /// <summary>A program of iptables lists its rules.</summary>
    public bool IsOfIptables { get; init; }

    /// <summary>What none of its rules decides about is dropped.</summary>
    public bool DropsByPolicy { get; init; }

    /// <summary>HostGw inserts its accept before what drops everything in this chain.</summary>
    public bool IsHandledByForwardAccept { get; init; }

    public bool IsAfterTracking => Hook != Hook.Ingress && (Hook is not (Hook.Prerouting or Hook.Output) || Priority > TrackingPriority);

    public string Where => $"hook {Hook.ToString().ToLowerInvariant()}, priority {Priority}";

    public bool IsPassedBy(PacketClass packet, Hook hook, NftFamily family)
    {
        bool ofFamily = Family == family || (Family == NftFamily.Inet && family is NftFamily.IPv4 or NftFamily.IPv6);
        if (hook != Hook || !ofFamily || (IsNat && packet is not { HasConnection: true, FirstState: CtState.New }))
            return false;
        LinkName device = hook == Hook.Ingress ? packet.In : packet.Out;
        return hook is not (Hook.Ingress or Hook.Egress) || (!device.IsUnknown && Devices.Contains(device.Name));
    }
}
