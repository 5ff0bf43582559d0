using HostGw.Planning;
using HostGw.Platform.Linux;

namespace HostGw.Tests.Platform.Linux;

public class NatBackendsTests
{
    private static readonly NatPlan Plan = new(NatSource.Pods, true, false, true, [Prefix.Parse("10.244.1.0/24")], [Prefix.Parse("10.244.0.0/16")]);

    private readonly List<string> _journal = [];

    [Fact]
    public void A_switch_makes_the_new_rule_before_the_old_one_goes()
    {
        Backend old = new("iptables-nft", _journal) { Stands = Plan }, chosen = new("nftables", _journal), other = new("iptables-legacy", _journal);
        NatWork work = NatBackends.Compare([old, chosen, other], chosen, Plan, anew: true)!;
        Assert.Equal("nftables made; removed from iptables-nft", work.What);
        Assert.Same(Plan, work.Begins);

        work.Before();
        Assert.Equal(["nftables made"], _journal);
        work.After();
        Assert.Equal(["nftables made", "iptables-nft removed"], _journal);
        Assert.Null(NatBackends.Compare([old, chosen, other], chosen, Plan, anew: true));
    }

    [Fact]
    public void A_new_rule_that_is_refused_leaves_the_old_one()
    {
        Backend old = new("iptables-nft", _journal) { Stands = Plan }, chosen = new("nftables", _journal) { Refuses = true };
        NatWork work = NatBackends.Compare([old, chosen], chosen, Plan, anew: true)!;
        Assert.Throws<InvalidOperationException>(work.Before);
        Assert.NotNull(old.Stands);
    }

    [Fact]
    public void Off_removes_it_wherever_it_stands()
    {
        Backend one = new("nftables", _journal) { Stands = Plan }, two = new("iptables-nft", _journal) { Stands = Plan };
        NatWork work = NatBackends.Compare([one, two], null, null, anew: true)!;
        work.Before();
        work.After();
        Assert.Equal(["nftables removed", "iptables-nft removed"], _journal);
    }

    private sealed class Backend(string name, List<string> journal) : INatBackend
    {
        public NatPlan? Stands { get; set; }

        public bool Refuses { get; init; }

        public string Name => name;

        public long Writes => 0;

        public NatWork? Compare(NatPlan? desired, bool anew) => Equals(desired, Stands) ? null
            : new(desired is null ? "gone" : $"{name} made", desired, () => Set(desired), () => { });

        private void Set(NatPlan? desired)
        {
            if (Refuses)
                throw new InvalidOperationException();
            Stands = desired;
            journal.Add($"{name} {(desired is null ? "removed" : "made")}");
        }
    }
}
