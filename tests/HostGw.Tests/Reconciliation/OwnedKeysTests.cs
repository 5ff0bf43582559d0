using HostGw.Planning;
using HostGw.Platform;
using HostGw.Reconciliation;
using HostGw.Tests.Planning;

namespace HostGw.Tests.Reconciliation;

public class OwnedKeysTests
{
    private static readonly Plan Plan = Planner.Plan(
        Given.Nodes("self 10.244.1.0/24 10.0.0.1", "peer 10.244.2.0/24 10.0.0.2"), Given.Host("eth0 10.0.0.1/24"), Given.Policy(""));

    // What stands in each pass, then what the last of them does.
    [Theory]
    [InlineData("10.244.2.0/24 via 10.0.0.2 onlink ours|10.244.2.0/24 via 10.0.0.77", "replace 10.244.2.0/24 via 10.0.0.2 dev 2 (Overwritten)")]
    [InlineData("|10.244.2.0/24 via 10.0.0.77", "replace 10.244.2.0/24 via 10.0.0.2 dev 2 (Overwritten)")]
    [InlineData("10.244.2.0/24 via 10.0.0.77", "conflict 10.244.2.0/24 held by 10.244.2.0/24 via 10.0.0.77 dev 2 proto 4")]
    [InlineData("10.244.2.0/24 via 10.0.0.77|10.244.2.0/24 via 10.0.0.78", "conflict 10.244.2.0/24 held by 10.244.2.0/24 via 10.0.0.78 dev 2 proto 4")]
    [InlineData(
        "10.244.2.0/24 via 10.0.0.9 onlink ours;10.244.2.0/24 via 10.0.0.77|10.244.2.0/24 via 10.0.0.77",
        "conflict 10.244.2.0/24 held by 10.244.2.0/24 via 10.0.0.77 dev 2 proto 4")]
    [InlineData(
        "10.244.2.0/24 via 10.0.0.2 onlink ours;10.244.2.0/24 via 10.0.0.77 tos 16|10.244.2.0/24 via 10.0.0.78;10.244.2.0/24 via 10.0.0.77 tos 16",
        "replace 10.244.2.0/24 via 10.0.0.2 dev 2 (Overwritten)")]
    public void What_overwrote_ours_is_put_right_and_what_stood_before_or_beside_it_is_left_alone(string passes, string expected)
    {
        OwnedKeys ledger = new();
        RouteChanges last = new();
        foreach (string pass in passes.Split('|'))
        {
            HostRoute[] standing = [.. pass.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(RouteText.Standing).OrderBy(r => r.Key)];
            last = RouteDiff.Between(Plan, standing, ledger.Keys, AdoptMode.None);
            ledger.Remember(Plan, standing, last);
        }
        Assert.Equal([expected], RouteText.Of(last));
    }
}
