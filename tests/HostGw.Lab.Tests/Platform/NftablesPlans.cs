using System.Collections.Immutable;
using HostGw.Planning;

namespace HostGw.Lab.Tests.Platform;

/// <summary>Plans, and what the real nft shows of each.</summary>
internal static class NftablesPlans
{
    public static readonly NatPlan DualStack = new(
        NatSource.Pods, IPv4: true, IPv6: true, RandomFully: true,
        Prefixes("10.244.1.0/24 fd00:10:244:1::/64"),
        Prefixes("10.244.0.0/16 192.0.2.7/32 192.0.2.8/32 224.0.0.0/4 fd00:10:244::/56 ff00::/8"));

    public static readonly NatPlan AnySource = new(
        NatSource.Any, IPv4: true, IPv6: true, RandomFully: false, [],
        Prefixes("192.168.0.0/16 224.0.0.0/4 255.255.255.255/32 ff00::/8"));

    public const string DualStackListed = """
        table inet hostgw {
            set exempt4 {
                type ipv4_addr
                flags interval
                elements = { 10.244.0.0/16, 192.0.2.7, 192.0.2.8, 224.0.0.0/4 }
            }

            set pods4 {
                type ipv4_addr
                flags interval
                elements = { 10.244.1.0/24 }
            }

            set exempt6 {
                type ipv6_addr
                flags interval
                elements = { fd00:10:244::/56, ff00::/8 }
            }

            set pods6 {
                type ipv6_addr
                flags interval
                elements = { fd00:10:244:1::/64 }
            }

            chain postrouting {
                type nat hook postrouting priority srcnat; policy accept;
                ip saddr @pods4 ip daddr != @exempt4 fib daddr type != local masquerade fully-random comment "kept by hostgw, 17bcc012"
                ip6 saddr @pods6 ip6 daddr != @exempt6 fib daddr type != local masquerade fully-random comment "kept by hostgw, 9d1f717e"
            }
        }

        """;

    public const string AnySourceListed = """
        table inet hostgw {
            set exempt4 {
                type ipv4_addr
                flags interval
                elements = { 192.168.0.0/16, 224.0.0.0/4, 255.255.255.255 }
            }

            set exempt6 {
                type ipv6_addr
                flags interval
                elements = { ff00::/8 }
            }

            chain postrouting {
                type nat hook postrouting priority srcnat; policy accept;
                ip daddr != @exempt4 fib daddr type != local fib daddr type != broadcast masquerade comment "kept by hostgw, 0627efe6"
                ip6 daddr != @exempt6 fib daddr type != local masquerade comment "kept by hostgw, bd0a1589"
            }
        }

        """;

    public const string PerFamilyListed = """
        table ip hostgw {
            set exempt4 {
                type ipv4_addr
                flags interval
                elements = { 10.244.0.0/16, 192.0.2.7, 192.0.2.8, 224.0.0.0/4 }
            }

            set pods4 {
                type ipv4_addr
                flags interval
                elements = { 10.244.1.0/24 }
            }

            chain postrouting {
                type nat hook postrouting priority srcnat; policy accept;
                ip saddr @pods4 ip daddr != @exempt4 fib daddr type != local masquerade fully-random comment "kept by hostgw, ef449fb7"
            }
        }
        table ip6 hostgw {
            set exempt6 {
                type ipv6_addr
                flags interval
                elements = { fd00:10:244::/56, ff00::/8 }
            }

            set pods6 {
                type ipv6_addr
                flags interval
                elements = { fd00:10:244:1::/64 }
            }

            chain postrouting {
                type nat hook postrouting priority srcnat; policy accept;
                ip6 saddr @pods6 ip6 daddr != @exempt6 fib daddr type != local masquerade fully-random comment "kept by hostgw, 190cc38b"
            }
        }

        """;

    /// <summary>A plan with twice that many exempt prefixes, none adjacent to another.</summary>
    public static NatPlan Large(int perFamily) => DualStack with
    {
        Exempt =
        [
            .. Enumerable.Range(0, perFamily).Select(i => new Prefix(Ip.V4(0x0A000000u + ((uint)i << 9)), 24)),
            .. Enumerable.Range(0, perFamily).Select(i => new Prefix(Ip.V6(Ip.Parse("fd00::").Value + ((UInt128)i << 65)), 64)),
        ],
    };

    public static ImmutableArray<Prefix> Prefixes(string texts) =>
        [.. texts.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Prefix.Parse).Order()];
}
