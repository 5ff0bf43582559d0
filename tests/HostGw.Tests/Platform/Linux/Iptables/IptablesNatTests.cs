using HostGw.Planning;
using HostGw.Platform.Linux.Iptables;

namespace HostGw.Tests.Platform.Linux.Iptables;

public class IptablesNatTests
{
    private static readonly NatPlan Plan = new(
        NatSource.Pods, IPv4: true, IPv6: true, RandomFully: true,
        [Prefix.Parse("10.244.1.0/24"), Prefix.Parse("fd00:10:244:1::/64")],
        [
            Prefix.Parse("10.244.0.0/16"), Prefix.Parse("192.0.2.7/32"), Prefix.Parse("224.0.0.0/4"), Prefix.Parse("fd00:10:244::/56"),
            Prefix.Parse("ff00::/8"),
        ]);

    [Fact]
    public void Exempt_destinations_return_and_what_comes_from_pods_is_masqueraded()
    {
        Assert.Equal(
            [
                "-d 10.244.0.0/16 -j RETURN", "-d 192.0.2.7/32 -j RETURN", "-d 224.0.0.0/4 -j RETURN",
                "-s 10.244.1.0/24 -m addrtype ! --dst-type LOCAL -j MASQUERADE --random-fully",
            ],
            MasqueradeRules.Of(Plan, ipv4: true));
        Assert.Equal(
            [
                "-d fd00:10:244::/56 -j RETURN", "-d ff00::/8 -j RETURN",
                "-s fd00:10:244:1::/64 -m addrtype ! --dst-type LOCAL -j MASQUERADE",
            ],
            MasqueradeRules.Of(Plan with { RandomFully = false }, ipv4: false));
    }

    [Fact]
    public void With_any_source_broadcasts_keep_their_address()
    {
        NatPlan any = Plan with
        {
            Source = NatSource.Any,
            Sources = [],
            Exempt = [Prefix.Parse("10.244.0.0/16"), Prefix.Parse("ff00::/8")],
            RandomFully = false,
        };
        Assert.Equal(
            ["-d 10.244.0.0/16 -j RETURN", "-m addrtype --dst-type BROADCAST -j RETURN", "-m addrtype ! --dst-type LOCAL -j MASQUERADE"],
            MasqueradeRules.Of(any, ipv4: true));
        Assert.Equal(["-d ff00::/8 -j RETURN", "-m addrtype ! --dst-type LOCAL -j MASQUERADE"], MasqueradeRules.Of(any, ipv4: false));
    }

    [Fact]
    public void A_family_that_is_not_masqueraded_has_no_chain()
    {
        Assert.True(MasqueradeRules.Of(Plan with { IPv6 = false }, ipv4: false).IsDefault);
        Assert.True(MasqueradeRules.Of(null, ipv4: true).IsDefault);
    }

    [Fact]
    public void More_prefixes_than_a_chain_should_have_are_refused_with_the_cure()
    {
        NatPlan Exempting(int count) => Plan with
        {
            Exempt = [.. Enumerable.Range(0, count).Select(i => new Prefix(Ip.V4(0x0A000000u + ((uint)i << 9)), 24))],
        };
        Assert.Equal(65, MasqueradeRules.Of(Exempting(64), ipv4: true).Length);
        IptablesException refusal = Assert.Throws<IptablesException>(() => MasqueradeRules.Of(Exempting(65), ipv4: true));
        Assert.Contains("65 IPv4 prefixes", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("set clusterCidrs", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("nat.backend to nftables", refusal.Message, StringComparison.Ordinal);
        Assert.Single(MasqueradeRules.Of(Exempting(65), ipv4: false));
    }

    [Fact]
    public void Between_the_halves_of_a_change_everything_old_and_new_is_exempt()
    {
        NatPlan middle = MasqueradeRules.Union(
            Plan,
            [
                "-d 10.244.7.0/24 -j RETURN", "-d 198.51.100.0/24 -j RETURN", "-d 203.0.113.1/24 -j RETURN", "-s 10.9.0.0/24 -j RETURN",
                "-p udp -d 10.8.0.0/24 -j RETURN",
            ]);
        Assert.Equal("10.244.0.0/16 192.0.2.7/32 198.51.100.0/24 224.0.0.0/4 fd00:10:244::/56 ff00::/8", string.Join(' ', middle.Exempt));
    }

    [Fact]
    public void Only_what_masquerades_decides_whether_connections_must_begin_again()
    {
        Assert.True(MasqueradeRules.MasqueradeAlike(
            ["-d 10.0.0.0/8 -j RETURN", "-j MASQUERADE"], ["-j MASQUERADE", "-d 192.0.2.0/24 -j RETURN"]));
        Assert.False(MasqueradeRules.MasqueradeAlike(["-d 10.0.0.0/8 -j RETURN", "-j MASQUERADE"], ["-d 10.0.0.0/8 -j RETURN"]));
    }
}
