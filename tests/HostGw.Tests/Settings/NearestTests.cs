using HostGw.Settings;

namespace HostGw.Tests.Settings;

public class NearestTests
{
    [Theory]
    [InlineData("nexthop", "nextHop")]
    [InlineData("next_hop", "nextHop")]
    [InlineData("clusterCIDR", "clusterCidrs")]
    [InlineData("serviceCIDR", "serviceCidrs")]
    [InlineData("nat.randomfully", "nat.randomFully")]
    [InlineData("exemptNode", "nat.exemptNodes")]
    [InlineData("level", "log.level")]
    [InlineData("resync", "resyncSeconds")]
    public void A_misspelt_name_finds_its_setting(string given, string nearest) =>
        Assert.Equal(nearest, Nearest.To(given, SettingsTable.Rows.Select(s => s.Name)));

    [Fact]
    public void A_huge_name_costs_nothing_much() =>
        Assert.NotEmpty(Nearest.To(new string('x', 10_000_000), SettingsTable.Rows.Select(s => s.Name)));
}
