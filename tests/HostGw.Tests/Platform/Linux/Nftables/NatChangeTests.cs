using HostGw.Planning;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Tests.Platform.Linux.Nftables;

public class NatChangeTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_right_is_left_alone(bool anySource)
    {
        NatPlan plan = Nat.Plan(anySource ? NatSource.Any : NatSource.Pods);
        Assert.Equal(NatChangeKind.None, NatChange.Between(plan, Nat.State(plan)).Kind);
        Assert.Equal(NatChangeKind.None, NatChange.Between(plan, Nat.State(plan, NftLayout.PerFamily)).Kind);
    }

    [Fact]
    public void Nothing_wanted_and_nothing_there_is_nothing_to_do() =>
        Assert.Equal(NatChangeKind.None, NatChange.Between(null, null).Kind);

    [Fact]
    public void A_table_that_is_no_longer_wanted_is_removed()
    {
        Assert.Equal(NatChangeKind.Remove, NatChange.Between(null, Nat.State(Nat.Plan())).Kind);
        Assert.Equal(NatChangeKind.Remove, NatChange.Between(Nat.Plan() with { IPv4 = false, IPv6 = false }, Nat.State(Nat.Plan())).Kind);
    }

    [Fact]
    public void A_missing_table_is_made_and_old_connections_are_looked_at()
    {
        NatChange change = NatChange.Between(Nat.Plan(), null);
        Assert.Equal((NatChangeKind.Rebuild, "the table is missing"), (change.Kind, change.Reason));
        Assert.True(change.StartsMasquerading);
        Assert.Empty(change.AfterRoutes(NftLayout.Inet));
    }

    // exempt4 as observed and as desired; what it loses and gets before the routes, and after them.
    public static TheoryData<string, string, string, string, string> Moves => new()
    {
        { "a peer joins: exempt before its route", "10.1.0.0/24", "10.1.0.0/24 10.2.0.0/24", "+10.2.0.0/24", "" },
        { "a peer leaves: exempt until its route is gone", "10.1.0.0/24 10.2.0.0/24", "10.1.0.0/24", "", "-10.2.0.0/24" },
        { "one joins, one leaves", "10.1.0.0/24", "10.2.0.0/24", "+10.2.0.0/24", "-10.1.0.0/24" },
        { "the cluster grows around its nodes", "10.1.0.0/24 10.2.0.0/24", "10.0.0.0/8", "-10.1.0.0/24 -10.2.0.0/24 +10.0.0.0/8", "" },
        { "the cluster shrinks to its nodes", "10.0.0.0/8", "10.1.0.0/24 10.2.0.0/24", "", "-10.0.0.0/8 +10.1.0.0/24 +10.2.0.0/24" },
        { "everything gives way", "0.0.0.0/0", "10.0.0.0/8", "", "-0.0.0.0/0 +10.0.0.0/8" },
        { "a foreign range is removed at once", "10.0.0.1-10.0.0.9", "10.0.0.0/8", "-10.0.0.1-10.0.0.9 +10.0.0.0/8", "" },
        { "the last address", "255.255.255.255/32", "255.255.255.254/31", "-255.255.255.255/32 +255.255.255.254/31", "" },
    };

    [Theory]
    [MemberData(nameof(Moves))]
    public void Elements(string because, string observed, string desired, string before, string after)
    {
        NatPlan plan = Nat.Plan() with { IPv6 = false, Sources = Nat.Prefixes("10.1.0.0/24"), Exempt = Nat.Prefixes(desired.Split(' ')) };
        NatState state = Nat.State(plan).Holding("exempt4", observed.Split(' '));

        NatChange change = NatChange.Between(plan, state);

        Assert.Equal(NatChangeKind.Elements, change.Kind);
        Assert.True(before == Text(change.BeforeRoutes), $"{because}: before the routes {Text(change.BeforeRoutes)}");
        Assert.True(after == Text(change.AfterRoutes(NftLayout.Inet)), $"{because}: after them {Text(change.AfterRoutes(NftLayout.Inet))}");
        Assert.False(change.StartsMasquerading);
    }

    [Fact]
    public void A_new_podCIDR_of_this_node_may_have_connections_to_delete()
    {
        NatPlan plan = Nat.Plan();
        NatChange change = NatChange.Between(plan, Nat.State(plan).Holding("pods4"));
        Assert.Equal(NatChangeKind.Elements, change.Kind);
        Assert.True(change.StartsMasquerading);
    }

    [Fact]
    public void Another_layout_than_the_usual_is_kept_while_it_is_right()
    {
        NatPlan plan = Nat.Plan();
        NatState state = Nat.State(plan, NftLayout.PerFamily).Holding("exempt6", "ff00::/8");
        NftSetChange change = Assert.Single(NatChange.Between(plan, state).BeforeRoutes);
        Assert.Equal((NftFamily.IPv6, "exempt6"), (change.Family, change.Set));
    }

    private static string Text(IEnumerable<NftSetChange> changes) => string.Join(
        ' ', changes.SelectMany(c => c.Remove.Select(r => $"-{r}").Concat(c.Add.Select(r => $"+{r}"))));
}
