using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Lab.Tests.Platform;

/// <summary>A tunnel whose guards cannot be made, or not now: what comes out of it must not reach this host.</summary>
[SupportedOSPlatform("linux")]
public sealed class UnguardedTunnelTests : IDisposable
{
    private const string Reason = "without its guards (nftables table hostgw-guard) what comes out of it would reach this host";

    private static readonly Plan Plan = new()
    {
        Tunnel = new(4790, 157, [HostGw.Net.Ip.Parse("10.244.1.1"), HostGw.Net.Ip.Parse("fd00:1::1")]),
        OwnPodCidrs = [Prefix.Parse("10.244.1.0/24"), Prefix.Parse("fd00:1::/64")],
    };

    private readonly LinuxNamespace _host = new();

    public UnguardedTunnelTests()
    {
        Assert.Empty(Pass().Failures);
        _host.Shell("route add 10.244.2.0/24 encap ip id 157 dst 192.0.2.2 dev hostgw0 proto 157");
        Assert.True(IsUp);
    }

    public void Dispose() => _host.Dispose();

    [Fact]
    public void While_another_program_holds_the_guards_table_the_link_is_down_and_then_it_comes_back()
    {
        using (OwnedTable.Take(_host.Network))
        {
            for (int pass = 0; pass < 2; pass++)
            {
                ApplyResult refused = Pass();
                Assert.Equal([HostPart.Guards, HostPart.Tunnel], refused.Failures.Select(f => f.Part));
                Assert.Equal("keep the link hostgw0 up", refused.Failures[1].What);
                Assert.StartsWith(Reason, refused.Failures[1].Error.Message, StringComparison.Ordinal);
                Assert.Equal(("", false), (refused.TunnelChange, IsUp));
                Assert.Equal("", _host.Show("10.244.2.0/24"));
            }
        }
        ApplyResult repaired = Pass();
        Assert.Equal(("the table is missing", "down"), (repaired.GuardChange, repaired.TunnelChange.Split(';')[0]));
        Assert.Empty(repaired.Failures);
        Assert.True(IsUp);
    }

    [Fact]
    public void While_their_table_is_refused_no_link_is_made()
    {
        _host.Shell("link del hostgw0");
        using (OwnedTable.Take(_host.Network))
        {
            ApplyResult refused = Pass();
            Assert.Equal(HostPart.Guards, Assert.Single(refused.Failures).Part);
            Assert.Equal(("", null), (refused.TunnelChange, _host.Read().Tunnel));
        }
        Assert.Empty(Pass().Failures);
        Assert.True(IsUp);
    }

    // A fight over the guards is slowed down: until they are repaired the link waits.
    [Fact]
    public void While_their_repair_waits_the_link_is_down()
    {
        Nft("flush chain inet hostgw-guard inner");
        foreach (bool isAnnounced in (bool[])[true, false])
        {
            ApplyResult held = Pass(c => c with { ChangesGuards = false, ReadsGuardsAgain = isAnnounced });
            Assert.Equal(HostPart.Tunnel, Assert.Single(held.Failures).Part);
            Assert.False(IsUp);
        }
        Assert.Empty(Pass(c => c with { ReadsGuardsAgain = false }).Failures);
        Assert.True(IsUp);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Guards_that_stand_and_wait_for_nothing_keep_it_up(bool isAnnounced)
    {
        Nft("delete element inet hostgw-guard nodes4 { 192.0.2.2 }");
        Assert.Empty(Pass(c => c with { ChangesGuards = false, ReadsGuardsAgain = isAnnounced }).Failures);
        Assert.Equal((true, true), (IsUp, _host.Show("10.244.2.0/24").Length > 0));
    }

    [Fact]
    public void Where_the_tunnel_is_not_needed_any_more_it_goes_without_guards_as_well()
    {
        Nft("delete table inet hostgw-guard");
        ApplyResult result = Pass(c => c with { ChangesGuards = false, Tunnel = TunnelChanges.Between(new(), c.Host) });
        Assert.Equal((0, "not needed"), (result.Failures.Count, result.TunnelChange));
    }

    [Fact]
    public void A_preview_takes_nothing_down()
    {
        Nft("delete table inet hostgw-guard");
        HostChanges changes = Changes();
        Assert.Empty(_host.Network.Run(() => _host.Host.Apply(changes with { ChangesGuards = false }, ApplyMode.Preview)).Failures);
        Assert.True(IsUp);
    }

    private bool IsUp => _host.Read().Tunnel!.IsUp;

    private ApplyResult Pass(Func<HostChanges, HostChanges>? with = null)
    {
        HostChanges changes = with is null ? Changes() : with(Changes());
        return _host.Network.Run(() => _host.Host.Apply(changes, ApplyMode.Change));
    }

    private HostChanges Changes()
    {
        HostState state = _host.Read();
        return new()
        {
            Plan = Plan,
            Host = state,
            Routes = RouteChanges.None,
            Tunnel = TunnelChanges.Between(Plan, state),
            ChangesGuards = true,
            Guards = GuardPlans.Tunnel,
        };
    }

    private void Nft(string command) => _host.Network.Exec("nft", command);
}
