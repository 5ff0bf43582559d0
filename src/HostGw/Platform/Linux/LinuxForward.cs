using System.Collections.Immutable;
using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Iptables;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Platform.Linux;

/// <summary>
/// Lets our pods' packets through where this host drops what it forwards. An accept elsewhere cannot undo a drop, so it is made in
/// the very chain: in those of iptables. Of others it is said.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class LinuxForward
{
    private readonly Func<NftCensus?> _census;
    private readonly Dictionary<(IptablesFlavour Flavour, bool IPv4), ForwardFamily> _families = [];
    private ImmutableArray<Prefix> _verified;

    public LinuxForward(Func<NftCensus?> census, IptablesPrograms nft, IptablesPrograms legacy)
    {
        _census = census;
        IptablesPresence presence = new(census);
        foreach (bool ipv4 in (bool[])[true, false])
        {
            foreach (IptablesPrograms programs in (IptablesPrograms[])[nft, legacy])
                _families[(programs.Flavour, ipv4)] = new(new(programs, presence, OwnChain.Forward, ipv4));
        }
    }

    /// <summary>What drops our pods' packets and is not ours to change, with the cure.</summary>
    public IReadOnlyList<string> Obstacles { get; private set; } = [];

    /// <summary>What is to be done, each in words.</summary>
    /// <param name="accept">This node's podCIDRs; none: nothing of ours should stand.</param>
    /// <param name="anew">False: what was found right before is taken to be so still.</param>
    /// <param name="onFailure">Takes what could not be looked into; the others are.</param>
    /// <exception cref="HostNetworkException">nf_tables cannot be read.</exception>
    public IReadOnlyList<(string What, Action Apply)> Compare(ImmutableArray<Prefix> accept, bool anew, Action<HostNetworkException> onFailure)
    {
        if (!anew && !_verified.IsDefault && _verified.SequenceEqual(accept))
            return [];

        _verified = default;
        NftHookChain[] dropping = accept.IsEmpty || _census() is not { } census ? [] : [.. census.ForwardChains().Where(census.DropsEverything)];
        List<string> obstacles = [.. dropping.Where(c => !IsOfIptables(c)).Select(c => ForwardObstacle.Describe(c, accept)).OfType<string>()];
        List<(string, Action)> work = [];
        bool failed = false;
        foreach (((IptablesFlavour flavour, bool ipv4), ForwardFamily family) in _families)
        {
            bool mayDrop = flavour == IptablesFlavour.Nft
                ? dropping.Any(c => IsOfIptables(c) && c.Family == NftCensus.Of(ipv4))
                : IptablesPresence.HasLegacyTable(ipv4, OwnChain.Forward.Table);
            try
            {
                if (family.Compare(accept, mayDrop) is var (what, apply))
                    work.Add(($"{family.Name}: {what}", apply));
            }
            catch (IptablesException e) when (flavour == IptablesFlavour.Legacy)
            {
                // Its tables stay once anybody has looked at them: that alone is no failure.
                obstacles.Add($"whether {family.Name} drops pods' packets is unknown ({e.Message}); or set forwardAccept to false");
            }
            catch (IptablesException e)
            {
                failed = true;
                onFailure(e);
            }
        }
        Obstacles = obstacles;
        if (work.Count == 0 && !failed)
            _verified = accept;
        return work;
    }

    private static bool IsOfIptables(NftHookChain chain) =>
        chain is { Family: NftFamily.IPv4 or NftFamily.IPv6, Table: "filter", Name: "FORWARD" };
}
