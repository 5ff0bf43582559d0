using System.Runtime.Versioning;
using HostGw.Planning;
using HostGw.Platform;

namespace HostGw.Lab.Tests.Platform;

/// <summary>Rules of other network agents, found and, when told, removed.</summary>
[Collection("nftables")]
[SupportedOSPlatform("linux")]
public sealed class ForeignMasqueradeTests
{
    private static readonly Plan Plan = new()
    {
        OwnPodCidrs = [Prefix.Parse("10.244.1.0/24")],
        Routes = [new(Prefix.Parse("10.244.2.0/24"), 0, Net.Ip.Parse("192.0.2.2"), 1)],
    };

    [Theory]
    [InlineData("iptables-nft")]
    [InlineData("iptables-legacy")]
    public void The_seeds_rule_for_another_cluster_is_found_and_removed_and_nothing_else(string kind)
    {
        using NatBox box = new("none");
        NatBox.Run($"{kind} -w -t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE");
        string before = NatBox.Save(kind, true);
        NatBox.Run($"{kind} -w -t nat -A POSTROUTING ! -d 192.168.0.0/16 -m addrtype ! --dst-type LOCAL -j MASQUERADE");

        Leftover leftover = Assert.Single(box.Leftovers(Plan));
        Assert.Equal(
            "the rule '-A POSTROUTING ! -d 192.168.0.0/16 -m addrtype ! --dst-type LOCAL -j MASQUERADE' of " +
            $"{kind}, IPv4, table nat, chain POSTROUTING (hook postrouting, priority 100) changes the source address of packets between " +
            $"pods, such as from 10.244.1.0/24 to 10.244.2.0/24 (iptables{kind[8..]} -t nat -D POSTROUTING " +
            "! -d 192.168.0.0/16 -m addrtype ! --dst-type LOCAL -j MASQUERADE)", leftover.What);
        leftover.Remove!();
        Assert.Equal(before, NatBox.Save(kind, true));
        Assert.Empty(box.Leftovers(Plan));
    }

    [Fact]
    public void Tables_of_flannel_and_kindnet_are_removed_and_rules_of_others_one_by_one()
    {
        using NatBox box = new("none", o => o with { ProgramFolders = [] });
        const string Chain = "{ type nat hook postrouting priority 100; }; add rule";
        NatBox.Run($"nft 'add table ip flannel-ipv4; add chain ip flannel-ipv4 postrtg {Chain} ip flannel-ipv4 postrtg masquerade; " +
            $"add table inet kindnet-ipmasq; add chain inet kindnet-ipmasq postrouting {Chain} inet kindnet-ipmasq postrouting masquerade; " +
            $"add table inet theirs; add chain inet theirs postrouting {Chain} inet theirs postrouting ip saddr 10.244.0.0/16 masquerade'");
        IReadOnlyList<Leftover> leftovers = box.Leftovers(Plan);
        Assert.Equal(3, leftovers.Count);
        foreach (Leftover leftover in leftovers)
            leftover.Remove!();
        Assert.Equal("table inet theirs\n", NatBox.Run("nft list tables"));
        Assert.DoesNotContain("masquerade", NatBox.Run("nft list ruleset"), StringComparison.Ordinal);
    }

    [Fact]
    public void Rules_that_cannot_be_read_hide_no_others()
    {
        using NatBox box = new("none");
        NatBox.Run("iptables-legacy -w -t nat -S; nft 'add table ip flannel-ipv4; add chain ip flannel-ipv4 " +
            "postrtg { type nat hook postrouting priority 100; }; add rule ip flannel-ipv4 postrtg masquerade; add table ip nat; " +
            "add chain ip nat POSTROUTING { type nat hook postrouting priority 100; }; " +
            "add rule ip nat POSTROUTING meta mark set jhash ip saddr mod 7'");
        Leftover[] leftovers = [.. box.Leftovers(Plan)];
        Assert.Equal(2, leftovers.Length);
        Assert.StartsWith("the rule 'masquerade' of nftables table ip flannel-ipv4", leftovers[0].What, StringComparison.Ordinal);
        Assert.StartsWith(
            "iptables-nft, IPv4: whether a rule drops or masquerades traffic from pod to pod is unknown (read table nat with iptables-nft-save",
            leftovers[1].Problem, StringComparison.Ordinal);
        Assert.Null(leftovers[1].Remove);
    }
}
