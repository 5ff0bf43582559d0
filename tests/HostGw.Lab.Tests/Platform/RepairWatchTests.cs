using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Lab.Tests.Platform;

/// <summary>What is changed of tunnel, guards, probe route and policy rule while a pass works, and again after its repair.</summary>
[SupportedOSPlatform("linux")]
public sealed class RepairWatchTests : LinuxWatchTest
{
    private static readonly Plan Plan = new()
    {
        Tunnel = new(4790, 157, [HostGw.Net.Ip.Parse("10.244.1.1"), HostGw.Net.Ip.Parse("fd00:1::1")]),
        Guards = GuardPlans.Tunnel,
        ProbeAddresses = [HostGw.Net.Ip.Parse("10.244.1.0"), HostGw.Net.Ip.Parse("fd00:1::")],
        PolicyRules = [Prefix.Parse("10.244.0.0/16")],
        OwnPodCidrs = [Prefix.Parse("10.244.1.0/24"), Prefix.Parse("fd00:1::/64")],
    };

    [Theory]
    [InlineData("ip link del hostgw0", "Links")]
    [InlineData("ip link set hostgw0 down", "Links")]
    [InlineData("ip link set hostgw0 name other", "Links")]
    [InlineData("ip link set hostgw0 alias other", "Links")]
    [InlineData("ip link set hostgw0 addrgenmode eui64", "Links")]
    [InlineData("ip link set hostgw0 group 7", "Links")]
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
        string guards = Watched.Space.Network.Exec("nft", "-s", "list", "table", "inet", "hostgw-guard");
        for (int i = 0; i < 3; i++)
        {
            // Until all that came before is heard.
            Watched.AfterUpToRule(() => Watched.AfterNftables(() => { }));

            // As late as this pass can miss it.
            Pass(() => ByHand(command));

            Watched.Await(Enum.Parse<WakeCauses>(cause));
            Repair(command);
            Assert.Equal(guards, Watched.Space.Network.Exec("nft", "-s", "list", "table", "inet", "hostgw-guard"));
            Assert.Equal((0L, "", ""), Pass(() => { }) is var last ? (last.NetlinkWrites, last.TunnelChange, last.GuardChange) : default);
        }
    }

    // There is no periodic pass here: what comes back, comes back because the kernel announced that it was gone.
    [Theory]
    [InlineData("ip link del hostgw0")]
    [InlineData("ip link set hostgw0 down")]
    [InlineData("ip link set hostgw0 name other")]
    [InlineData("ip addr del 10.244.1.1/32 dev hostgw0")]
    [InlineData("ip -6 addr del fd00:1::1/128 dev hostgw0")]
    [InlineData("ip addr add 10.244.1.9/32 dev hostgw0")]
    [InlineData("bridge vni delete dev hostgw0 vni 157")]
    public async Task What_the_kernel_announces_is_repaired_without_a_periodic_pass(string command)
    {
        using CancellationTokenSource end = new();
        using SemaphoreSlim woken = new(0);
        Task watch = Space.Network.Run(() => Space.Host.WatchAsync(_ => woken.Release(), end.Token));
        var passes = Task.Run(async () =>
        {
            while (true)
            {
                await woken.WaitAsync(end.Token);
                Pass(() => { });
            }
        }, CancellationToken.None);
        await Eventually.TrueAsync(() => passes.IsFaulted || IsRight(), () => "not made");
        string before = Seen();

        ByHand(command);
        await Eventually.TrueAsync(() => passes.IsFaulted || IsRight(), Seen);

        Assert.False(passes.IsFaulted, $"{passes.Exception}");
        Assert.Equal(before, Seen());
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(watch, passes));
    }

    [Fact]
    public void VNIs_of_other_links_wake_none()
    {
        Pass(() => { });
        ByHand("ip link add other type vxlan external vnifilter dstport 4799");
        Watched.AfterUpToRule(() => { });
        Assert.Equal(WakeCauses.None, Watched.AfterUpToRule(() => ByHand("bridge vni add dev other vni 1-100")));
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

    private bool IsRight() => Seen() is var seen && seen.StartsWith("UP 157", StringComparison.Ordinal) &&
        seen.EndsWith(" 10.244.1.1/32 fd00:1::1/128", StringComparison.Ordinal);

    // State, VNIs, addresses; empty: there is no such link.
    private string Seen()
    {
        if (!Space.Shell("-br link").Contains("hostgw0", StringComparison.Ordinal))
            return "";
        string[] words = Space.Shell("-br addr show dev hostgw0")
            .Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string vnis = Space.Network.Exec("bridge", "vni", "show", "dev", "hostgw0").Split("hostgw0")[^1].Trim();
        return $"{(words[1] == "DOWN" ? "DOWN" : "UP")} {vnis} {string.Join(' ', words[2..])}";
    }

    private void ByHand(string command)
    {
        string[] words = command.Split(' ', 2);
        Space.Network.Exec(words[0], words[0] == "nft" ? [words[1]] : words[1].Split(' '));
    }
}
