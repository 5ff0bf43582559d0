using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform.Linux.Iptables;
using HostGw.Platform.Linux.Netlink;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Platform.Linux;

/// <summary>Finds rules that other network agents left behind and that would masquerade what goes from pod to pod.</summary>
[SupportedOSPlatform("linux")]
internal sealed class Leftovers(Func<NftCensus?> census, IptablesPrograms[] iptables)
{
    /// <exception cref="HostNetworkException">nf_tables cannot be read.</exception>
    public List<Leftover> Find(Plan plan)
    {
        List<Leftover> found = [];
        if (census() is { } tables)
        {
            foreach ((NftFamily family, string table) in tables.Tables().Where(t => LeftoverRules.IsTableOfOthers(t.Name) && Enum.IsDefined(t.Family)))
                found.Add(new($"the nftables table {NftNames.Of(family)} {table}, which may masquerade what goes from pod to pod", () => tables.DeleteTable(family, table)));
        }
        foreach (IptablesPrograms programs in iptables)
        {
            Find(programs, ipv4: true, plan, found);
            Find(programs, ipv4: false, plan, found);
        }
        return found;
    }

    private void Find(IptablesPrograms programs, bool ipv4, Plan plan, List<Leftover> found)
    {
        OwnChain nat = OwnChain.Masquerade;
        bool stands = programs.Flavour == IptablesFlavour.Nft
            ? census()?.HasChain(NftCensus.Of(ipv4), nat.Table, nat.Parent) ?? false
            : IptablesPresence.HasLegacyTable(ipv4, nat.Table);
        if (!stands || !programs.AreInstalled(ipv4))
            return;

        string where = $"{programs.Name}, {(ipv4 ? "IPv4" : "IPv6")}";
        SavedTable saved;
        try
        {
            saved = programs.Read(ipv4, nat.Table, new(nat.Table, static (chain, _) => LeftoverRules.Sees(chain)));
        }
        catch (IptablesException e)
        {
            found.Add(new($"{where}: whether a rule masquerades what goes from pod to pod is unknown ({e.Message})", null));
            return;
        }
        // Of many nodes many podCIDRs: only where there are rules to compare them with.
        IEnumerable<Prefix> own = plan.OwnPodCidrs.Where(p => p.IsIPv4 == ipv4), peers = plan.Routes.Select(r => r.Destination).Where(p => p.IsIPv4 == ipv4);
        foreach (LeftoverRule rule in LeftoverRules.Find(saved, [.. own], [.. peers]))
        {
            found.Add(new(
                $"{where}: rule '-A {nat.Parent} {rule.Rule}' masquerades what goes from pod to pod",
                () => programs.Restore(ipv4, $"*{nat.Table}\n{string.Concat(rule.Removal.Select(l => l + "\n"))}COMMIT\n")));
        }
    }
}
