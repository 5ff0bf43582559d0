using HostGw.Planning;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Iptables;

namespace HostGw.Tests.Platform.Linux;

public class LinuxNatTests
{
    private static readonly NatPlan Plan = new(
        NatSource.Pods, IPv4: true, IPv6: false, RandomFully: true, [Prefix.Parse("10.244.1.0/24")], [Prefix.Parse("10.244.0.0/16")]);

    private readonly List<string> _journal = [];

    [Fact]
    public void A_switch_makes_the_new_rule_before_the_old_one_goes()
    {
        Backend old = new("iptables-nft", _journal) { Installed = Plan }, chosen = new("nftables", _journal);
        Backend other = new("iptables-legacy", _journal);
        NatUpdate update = NatBackends.Compare([old, chosen, other], chosen, Plan, reread: true)!;
        Assert.Equal("nftables made; removed from iptables-nft", update.What);
        Assert.Same(Plan, update.Starts);

        update.BeforeRoutes();
        Assert.Equal(["nftables made"], _journal);
        update.AfterRoutes();
        Assert.Equal(["nftables made", "iptables-nft removed"], _journal);
        Assert.Null(NatBackends.Compare([old, chosen, other], chosen, Plan, reread: true));
    }

    [Fact]
    public void A_new_rule_that_is_refused_leaves_the_old_one()
    {
        Backend old = new("iptables-nft", _journal) { Installed = Plan }, chosen = new("nftables", _journal) { Refuses = true };
        NatUpdate update = NatBackends.Compare([old, chosen], chosen, Plan, reread: true)!;
        Assert.Throws<InvalidOperationException>(update.BeforeRoutes);
        Assert.NotNull(old.Installed);
    }

    [Fact]
    public void Off_removes_it_wherever_it_is_installed()
    {
        Backend one = new("nftables", _journal) { Installed = Plan }, two = new("iptables-nft", _journal) { Installed = Plan };
        NatUpdate update = NatBackends.Compare([one, two], null, null, reread: true)!;
        update.BeforeRoutes();
        update.AfterRoutes();
        Assert.Equal(["nftables removed", "iptables-nft removed"], _journal);
    }

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

    private sealed class Backend(string name, List<string> journal) : INatBackend
    {
        public NatPlan? Installed { get; set; }

        public bool Refuses { get; init; }

        public string Name => name;

        public long Writes => 0;

        public NatUpdate? Compare(NatPlan? desired, bool reread) => Equals(desired, Installed) ? null
            : new(desired is null ? "gone" : $"{name} made", desired, () => Set(desired), () => { });

        private void Set(NatPlan? desired)
        {
            if (Refuses)
                throw new InvalidOperationException();
            Installed = desired;
            journal.Add($"{name} {(desired is null ? "removed" : "made")}");
        }
    }
}
