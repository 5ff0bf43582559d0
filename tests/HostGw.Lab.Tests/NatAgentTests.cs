using System.Text.Json;
using HostGw.Lab.Agents;
using HostGw.Lab.Topology;

namespace HostGw.Lab.Tests;

/// <summary>The real agent of node 1 with the masquerade rule in iptables-nft, and what others do to it.</summary>
public sealed class NatAgentTests : LabTest
{
    private const string Jump = "-A POSTROUTING -m comment --comment \"kept by hostgw\" -j HOSTGW-POSTROUTING";

    private protected override ClusterSettings Settings => Clusters.ByNodeAddress(2) with
    {
        Agents = Clusters.ByNodeAddress(2).Agents with { More = ["--nat-backend", "iptables", "--nat-iptables", "nft"] },
    };

    private Node One => Cluster.Node(1);

    private Agent Agent => Cluster.Agent(One);

    [Fact]
    public async Task What_iptables_announces_is_repaired_at_once()
    {
        await StartFirstAgentAsync();
        string[] before = Rules();
        Assert.Contains(Jump, before);

        foreach (string change in (string[])["iptables-nft -t nat -F POSTROUTING", "iptables-nft -t nat -F HOSTGW-POSTROUTING", "iptables-nft -t nat -F", "nft flush ruleset"])
        {
            One.Network.Exec("sh", "-c", change);
            await Eventually.TrueAsync(() => Rules().SequenceEqual(before), () => $"{change}\n{string.Join('\n', Rules())}");
        }
        Assert.Equal("iptables-nft", (await Agent.StatusAsync()).GetProperty("nat").GetProperty("backend").GetString());
    }

    [Fact]
    public async Task A_FORWARD_that_begins_to_drop_lets_our_pods_through_and_cleanup_leaves_nothing()
    {
        await StartFirstAgentAsync();
        One.Network.Exec("sh", "-c", "iptables-nft -P FORWARD DROP && ip6tables-nft -P FORWARD DROP");
        await Eventually.TrueAsync(() => Save().Contains("-A HOSTGW-FORWARD", StringComparison.Ordinal), Save);

        await Agent.StopAsync();
        string said = Agent.Run("cleanup");
        Assert.Contains("removed the masquerade rule", said, StringComparison.Ordinal);
        Assert.Contains("removed the rules that accepted pods' packets in chain FORWARD", said, StringComparison.Ordinal);
        Assert.DoesNotContain("HOSTGW", Save(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fight_over_the_rule_is_slowed_down_and_names_who_fights()
    {
        await StartFirstAgentAsync();

        await Eventually.TrueAsync(
            async () =>
            {
                One.Network.Exec("nft", "flush ruleset");
                return (await ProblemsAsync()).Any(p => p.Contains("another program keeps undoing HostGw's rules", StringComparison.Ordinal));
            },
            () => string.Join('\n', Agent.Log.LastWords(30)));
        Assert.Contains(await ProblemsAsync(), p => p.Contains("last changed by the program nft)", StringComparison.Ordinal));

        JsonElement nat = default;
        (DateTime Asked, string Status, string[] Rules) held = (default, "", []);
        await Eventually.TrueAsync(IsHeldAsync, () => $"{nat}");
        Assert.InRange(nat.GetProperty("heldUntil").GetDateTime(), held.Asked, DateTime.UtcNow.AddSeconds(10));
        Assert.Contains("last changed by the program nft", nat.GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Matches(@"masquerade held until \S+ \(iptables-nft\)", held.Status);
        Assert.Empty(held.Rules);

        await Eventually.TrueAsync(
            async () => (nat = (await Agent.StatusAsync()).GetProperty("nat")).GetProperty("state").GetString() == "applied", () => $"{nat}");
        Assert.NotEmpty(Rules());

        // From before to after what is looked at.
        async Task<bool> IsHeldAsync()
        {
            One.Network.Exec("nft", "flush", "ruleset");
            held.Asked = DateTime.UtcNow;
            nat = (await Agent.StatusAsync()).GetProperty("nat");
            if (nat.GetProperty("state").GetString() != "held")
                return false;
            (held.Status, held.Rules) = (Agent.Run("status"), Rules());
            JsonElement after = (await Agent.StatusAsync()).GetProperty("nat");
            return $"{after.GetProperty("heldUntil")}" == $"{nat.GetProperty("heldUntil")}";
        }
    }

    [Fact]
    public async Task Rules_of_others_that_do_harm_are_in_status_plan_and_adopt_until_they_are_removed()
    {
        await StartFirstAgentAsync();
        One.Network.Exec("sh", "-c", "iptables-nft -t nat -A POSTROUTING ! -d 10.99.0.0/16 -m addrtype ! --dst-type LOCAL -j MASQUERADE");
        await Eventually.TrueAsync(
            async () => (await ProblemsAsync()).Any(p => p.Contains("! -d 10.99.0.0/16", StringComparison.Ordinal)), () => string.Join('\n', Agent.Log.LastWords(30)));
        Assert.Contains("changes the source address of packets between pods", Agent.RunWithSettings("plan"), StringComparison.Ordinal);
        Assert.Contains("`hostgw adopt --rules` removes it", Agent.RunWithSettings("adopt"), StringComparison.Ordinal);

        Assert.Contains("removed the rule '-A POSTROUTING ! -d 10.99.0.0/16", Agent.Run(["adopt", "--rules", .. Agent.Flags]), StringComparison.Ordinal);

        Assert.DoesNotContain("10.99.0.0", Save(), StringComparison.Ordinal);
        await Eventually.TrueAsync(async () => !(await ProblemsAsync()).Any(), () => string.Join('\n', Agent.Log.LastWords(30)));
    }

    private async Task<IEnumerable<string>> ProblemsAsync() =>
        (await Agent.StatusAsync()).GetProperty("problems").EnumerateArray().Select(p => p.GetString() ?? "");

    private string Save() => One.Network.Exec("iptables-nft-save") + One.Network.Exec("ip6tables-nft-save");

    private string[] Rules() => [.. Save().Split('\n').Where(l => l.Contains("HOSTGW", StringComparison.Ordinal)).Select(l => l.Split(" [")[0])];
}
