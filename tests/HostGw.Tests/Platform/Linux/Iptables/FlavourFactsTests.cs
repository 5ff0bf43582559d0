using HostGw.Platform.Linux.Iptables;

namespace HostGw.Tests.Platform.Linux.Iptables;

public class FlavourFactsTests
{
    [Theory]
    [InlineData("", "Legacy", "the kernel has no nf_tables")]
    [InlineData("nf_tables", "Nft", "uses neither flavour yet")]
    [InlineData("nf_tables,nft-hint,legacy-hint,legacy-tables", "Nft", "kubelet uses iptables-nft")]
    [InlineData("nf_tables,nft-chains,legacy-hint,legacy-tables", "Legacy", "kubelet uses iptables-legacy")]
    [InlineData("nf_tables,nft-chains,legacy-tables", "Nft", "has rules of iptables-nft")]
    [InlineData("nf_tables,legacy-tables", "Legacy", "has tables of iptables-legacy and none of iptables-nft")]
    internal void The_flavour_is_the_hosts_own(string facts, string flavour, string why)
    {
        string[] all = facts.Split(',');
        (IptablesFlavour chosen, string reason) = new FlavourFacts
        {
            HasNfTables = all.Contains("nf_tables"),
            NftHint = all.Contains("nft-hint"),
            NftChains = all.Contains("nft-chains"),
            LegacyHint = all.Contains("legacy-hint"),
            LegacyTables = all.Contains("legacy-tables"),
        }.Choose();
        Assert.Equal(flavour, chosen.ToString());
        Assert.Contains(why, reason, StringComparison.Ordinal);
    }
}
