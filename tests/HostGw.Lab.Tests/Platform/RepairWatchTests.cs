using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Lab.Tests.Platform;

/// <summary>What is changed of tunnel, guards, probe route and policy rule while a pass works, and again after its repair.</summary>
[SupportedOSPlatform("linux")]
public sealed class RepairWatchTests : IAsyncLifetime
{
    private static readonly Plan Plan = new()
    {
        Tunnel = new(4790, 157, [HostGw.Net.Ip.Parse("10.244.1.1"), HostGw.Net.Ip.Parse("fd00:1::1")]),
        Guards = GuardPlans.Tunnel,
        ProbeAddresses = [HostGw.Net.Ip.Parse("10.244.1.0"), HostGw.Net.Ip.Parse("fd00:1::")],
        PolicyRules = [Prefix.Parse("10.244.0.0/16")],
        OwnPodCidrs = [Prefix.Parse("10.244.1.0/24"), Prefix.Parse("fd00:1::/64")],
    };

    private LinuxWatched _watched = null!;

    private LinuxNamespace Space => _watched.Space;

    public ValueTask InitializeAsync()
    {
        _watched = new();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _watched.DisposeAsync();

    [Theory]
    [InlineData("ip link del hostgw0", "Links")]
    [InlineData("ip link set hostgw0 down", "Links")]
    [InlineData("ip link set hostgw0 name other", "Links")]
    [InlineData("ip link set hostgw0 alias other", "Links")]
    [InlineData("ip link set hostgw0 addrgenmode eui64", "Links")]
    [InlineData("ip addr del 10.244.1.1/32 dev hostgw0", "Addresses")]
    [InlineData("ip -6 addr del fd00:1::1/128 dev hostgw0", "Addresses")]
    [InlineData("ip addr add 10.244.1.9/32 dev hostgw0", "Addresses")]
    [InlineData("bridge vni add dev hostgw0 vni 158", "Links")]
    [InlineData("bridge vni delete dev hostgw0 vni 157", "Links")]
    [InlineData("ip route del local 10.244.1.0 table local proto 157", "Routes")]
    [InlineData("ip -6 route del local fd00:1:: table local proto 157", "Routes")]
    [InlineData("ip rule del to 10.244.0.0/16 lookup main", "PolicyRules")]
    [InlineData("nft delete element inet hostgw-guard nodes4 { 192.0.2.2 }", "Guards")]
    [InlineData("nft add element inet hostgw-guard peers4 { 10.9.0.0/16 }", "Guards")]
    [InlineData("nft flush set inet hostgw-guard nodes6", "Guards")]
    [InlineData("nft flush chain inet hostgw-guard inner", "Guards")]
    [InlineData("nft add rule inet hostgw-guard outer accept", "Guards")]
    [InlineData("nft delete table inet hostgw-guard", "Guards")]
    [InlineData("nft flush ruleset", "Guards")]
    public void It_wakes_another_pass_each_time(string command, string cause)
    {
        Pass(() => { });
        string guards = _watched.Space.Network.Exec("nft", "-s", "list", "table", "inet", "hostgw-guard");
        for (int i = 0; i < 3; i++)
        {
            // Until all that came before is heard.
            _watched.AfterUpToRule(() => _watched.AfterNftables(() => { }));

            // As late as this pass can miss it.
            Pass(() => ByHand(command));

            _watched.Await(Enum.Parse<WakeCauses>(cause));
            Repair(command);
            Assert.Equal(guards, _watched.Space.Network.Exec("nft", "-s", "list", "table", "inet", "hostgw-guard"));
            Assert.Equal((0L, "", ""), Pass(() => { }) is var last ? (last.NetlinkWrites, last.TunnelChange, last.GuardChange) : default);
        }
    }

    private void Repair(string command)
    {
        // Foreign from then on.
        if (command.Contains("alias", StringComparison.Ordinal))
            ByHand("ip link set hostgw0 alias hostgw");
        Pass(() => { });
    }

    private ApplyResult Pass(Action meanwhile)
    {
        HostState state = Space.Read();
        HostChanges changes = new()
        {
            Plan = Plan,
            Host = state,
            Routes = RouteChanges.None,
            Tunnel = TunnelChanges.Between(Plan, state),
            ChangesGuards = true,
            Guards = Plan.Guards,
            // What was announced is all that is read of them.
            ReadsGuardsAgain = false,
            ProbeRoutes = ProbeRouteChanges.Between(Plan, state),
            PolicyRules = PolicyRuleChanges.Between(Plan, state),
        };
        ApplyResult result = Space.Network.Run(() => Space.Host.Apply(changes, ApplyMode.Change));
        meanwhile();
        Assert.Empty(result.Failures);
        return result;
    }

    private void ByHand(string command)
    {
        string[] words = command.Split(' ', 2);
        Space.Network.Exec(words[0], words[0] == "nft" ? [words[1]] : words[1].Split(' '));
    }
}
