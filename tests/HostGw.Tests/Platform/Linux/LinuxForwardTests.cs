using System.Collections.Immutable;
using HostGw.Planning;
using HostGw.Platform.Linux;
using HostGw.Platform.Linux.Nftables;

namespace HostGw.Tests.Platform.Linux;

public class LinuxForwardTests
{
    private static readonly ImmutableArray<Prefix> Pods = [Prefix.Parse("10.244.1.0/24"), Prefix.Parse("fd00:10:244:1::/64")];

    [Theory]
    [InlineData(
        "inet firewalld",
        "firewall-cmd --permanent --zone=trusted --add-source=10.244.1.0/24; " +
        "firewall-cmd --permanent --zone=trusted --add-source=fd00:10:244:1::/64; firewall-cmd --reload")]
    [InlineData(
        "ip guard",
        "nft insert rule ip guard way ip saddr 10.244.1.0/24 accept; nft insert rule ip guard way ip daddr 10.244.1.0/24 accept")]
    [InlineData(
        "ip6 guard",
        "nft insert rule ip6 guard way ip6 saddr fd00:10:244:1::/64 accept; " +
        "nft insert rule ip6 guard way ip6 daddr fd00:10:244:1::/64 accept")]
    public void The_cure_is_for_the_families_that_the_chain_sees(string table, string cure) =>
        Assert.EndsWith($": {cure}", Describe(table, Pods), StringComparison.Ordinal);

    [Theory]
    [InlineData("ip guard", 1)]
    [InlineData("ip6 guard", 0)]
    [InlineData("inet guard", -1)]
    public void A_chain_that_sees_none_of_our_pods_is_no_obstacle(string table, int only) =>
        Assert.Null(Describe(table, only < 0 ? [] : [Pods[only]]));

    private static string? Describe(string table, ImmutableArray<Prefix> pods)
    {
        NftFamily family = table.Split(' ')[0] switch { "ip" => NftFamily.IPv4, "ip6" => NftFamily.IPv6, _ => NftFamily.Inet };
        return ForwardObstacle.Describe(new(family, table.Split(' ')[1], "way", NfTables.NF_DROP), pods);
    }
}
