using FsCheck;
using FsCheck.Fluent;
using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

public class RouteDiffPropertyTests
{
    private static readonly string[] Owners = ["ours", "ours", "ours", "proto 3", "proto 2", "proto 186", "blackhole ours", "blackhole"];
    private static readonly string[] Hops = ["", " via 10.0.0.2 onlink", " via 10.0.0.3 onlink", " via 10.244.2.1 onlink", " via fd00:aaaa::2 onlink", " via fd00:aaaa::3", " via 10.0.0.2 hops 2"];
    private static readonly string[] Details = ["", "", "", "", " dev 3", " metric 50", " metric 2000", " tos 16"];

    private static Gen<string> Standing =>
        from destination in NastyCluster.PodCidr.Where(p => Prefix.TryParse(p, out Prefix prefix) && prefix.IsAligned)
        from hop in Gen.Elements(Hops)
        from owner in Gen.Elements(Owners)
        from detail in Gen.Elements(Details)
        select $"{destination}{hop} {owner}{detail}";

    private static Arbitrary<Case> Cases => (
        from cluster in NastyCluster.Any.Generator
        from standing in Standing.ListOf()
        from ledger in Standing.ListOf()
        from adopt in Gen.Elements(AdoptMode.Equivalent, AdoptMode.All, AdoptMode.None)
        select new Case(cluster, [.. standing], [.. ledger], adopt)).ToArbitrary();

    [Fact]
    public void What_was_applied_leaves_nothing_to_do_and_was_refused_nowhere() => Always.Holds(
        Cases,
        c =>
        {
            ModelKernel kernel = new(c.Table());
            for (int pass = 0; pass < 4 && (Diff(c, kernel) is { IsEmpty: false } or { IsUnfinished: true }); pass++)
                kernel.Apply(Diff(c, kernel));

            RouteChanges rest = Diff(c, kernel);
            Assert.Equal([], RouteText.Of(rest).Where(line => !line.StartsWith("conflict", StringComparison.Ordinal)));
            Assert.Empty(kernel.Refusals);
        },
        count: 3000);

    [Fact]
    public void What_should_stand_stands_or_is_a_conflict_and_nothing_else_of_ours_does() => Always.Holds(
        Cases,
        c =>
        {
            ModelKernel kernel = new(c.Table());
            for (int pass = 0; pass < 4; pass++)
                kernel.Apply(Diff(c, kernel));
            if (c.Plan.Scope != PlanScope.Everything)
                return;

            HashSet<RouteKey> conflicts = [.. Diff(c, kernel).Conflicts.Select(x => x.Route.Key)];
            foreach (PodRoute route in c.Plan.Routes.Where(r => !conflicts.Contains(r.Key)))
                Assert.Single(kernel.Routes, r => route.IsInstalledAs(r));
            Assert.All(
                kernel.Routes.Where(r => r.IsOurs),
                r => Assert.True(c.Plan.Waiting.Contains(r.Destination) || c.Plan.Routes.Any(p => p.IsInstalledAs(r)), r.ToString()));
            Assert.All(c.Plan.Waiting, w => Assert.Equal(c.Table().Where(r => r.Destination == w), kernel.Routes.Where(r => r.Destination == w)));
        },
        count: 2000);

    [Fact]
    public void Routes_of_others_stay_but_for_those_taken_over_on_purpose() => Always.Holds(
        Cases,
        c =>
        {
            ModelKernel kernel = new(c.Table());
            for (int pass = 0; pass < 4; pass++)
            {
                HostRoute[] before = [.. kernel.Routes.Where(r => !r.IsOurs)];
                RouteChanges changes = Diff(c, kernel);
                kernel.Apply(changes);

                Assert.DoesNotContain(changes.Delete, r => !r.IsOurs);
                RouteCorrection[] taken = [.. changes.Replace.Where(r => !r.Instead.IsOurs)];
                Assert.Equal(before.Except(taken.Select(t => t.Instead)), kernel.Routes.Where(r => !r.IsOurs));
                Assert.All(taken, t => Assert.True(c.Adopt != AdoptMode.None || c.Ledger.Contains(t.Route.Key), t.ToString()));
                Assert.DoesNotContain(taken, t => t.Instead.IsConnected);
            }
        },
        count: 2000);

    [Fact]
    public void While_our_own_node_is_out_of_order_nothing_that_stands_goes() => Always.Holds(
        Cases,
        c =>
        {
            Plan nothing = c.Plan with { Scope = PlanScope.Nothing }, addOnly = c.Plan with { Scope = PlanScope.AddRoutes };
            Assert.Empty(RouteText.Of(RouteDiff.Between(nothing, c.Table(), c.Ledger, c.Adopt)));
            Assert.Empty(RouteDiff.Between(addOnly, c.Table(), c.Ledger, c.Adopt).Delete);
        });

    [Fact]
    public void What_was_never_there_is_only_added() => Always.Holds(
        Cases,
        c =>
        {
            RouteChanges changes = RouteDiff.Between(c.Plan with { Scope = PlanScope.Everything }, [], c.Ledger, c.Adopt);
            Assert.Equal(c.Plan.Routes, changes.Add);
            Assert.True(changes.Replace.Count == 0 && changes.Delete.Count == 0 && changes.Conflicts.Count == 0);
        });

    private static RouteChanges Diff(Case c, ModelKernel kernel) => RouteDiff.Between(c.Plan, kernel.Routes, c.Ledger, c.Adopt);

    private sealed record Case(NastyCluster Cluster, string[] Standing, string[] Seen, AdoptMode Adopt)
    {
        public Plan Plan { get; } = Cluster.Plan();

        public HashSet<RouteKey> Ledger => [.. Seen.Select(s => RouteText.Standing(s).Key)];

        // No kernel holds the very same route twice.
        public List<HostRoute> Table() => [.. Standing.Select(RouteText.Standing).Distinct().OrderBy(r => r.Key)];

        public override string ToString() => $"{Cluster}standing:\n{string.Join("\n", Standing)}\nledger: {string.Join(", ", Ledger)}\nadopt: {Adopt}\n";
    }
}
